import { expect, test } from "vitest";
import { moveCursor } from "./move-cursor";

const IDS = ["a", "b", "c"] as const;

test.each([
  ["a", 1, "b"],
  ["c", 1, "c"],
  ["b", -1, "a"],
  ["a", -1, "a"],
  [undefined, 1, "a"],
  [undefined, -1, "a"],
] as const)("from %s by %d to %s", (current, step, expected) => {
  expect(moveCursor(IDS, current, step)).toBe(expected);
});

test("a row that has left the list is no place to start from", () => {
  expect(moveCursor<string>(IDS, "gone", 1)).toBe("a");
  expect(moveCursor<string>([], "gone", 1)).toBeUndefined();
});
