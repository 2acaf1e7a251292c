import { expect, test } from "vitest";
import { tick } from "./ticks";

test.each([
  ["queued", "clock"],
  ["sending", "clock"],
  ["sent", "one"],
  ["delivered", "two"],
  ["read", "two-blue"],
  ["played", "two-blue"],
  ["failed", "failed"],
  ["unknown", "unknown"],
] as const)("a message that is %s shows the mark %s", (status, mark) => {
  expect(tick(status)?.mark).toBe(mark);
});

test("a customer's message shows none", () => {
  expect(tick("received")).toBeNull();
});
