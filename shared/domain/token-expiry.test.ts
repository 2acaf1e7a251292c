import { expect, test } from "vitest";
import { firstEnd, warningDue } from "./token-expiry";

const DAY = 86_400_000;
const NOW = 1_000 * DAY;

test.each([
  [15, null],
  [14, null],
  [13.9, 14],
  [7, 14],
  [6.9, 7],
  [1, 7],
  [0.9, 1],
  [0, null],
  [-1, null],
])("%d days before the end the warning that is due is %j", (days, due) => {
  expect(warningDue(NOW + days * DAY, NOW)).toBe(due);
});

test("a token ends with whatever of it ends first, or not at all", () => {
  expect(firstEnd({})).toBeNull();
  expect(firstEnd({ expiresAt: 2, dataAccessExpiresAt: 1 })).toBe(1);
  expect(firstEnd({ expiresAt: 2 })).toBe(2);
  expect(firstEnd({ dataAccessExpiresAt: 3 })).toBe(3);
});
