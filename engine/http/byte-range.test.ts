import { expect, test } from "vitest";
import { parseRange } from "./byte-range";

test.each([
  ["bytes=0-0", 10, { start: 0, end: 0 }],
  ["bytes=2-5", 10, { start: 2, end: 5 }],
  ["bytes=7-", 10, { start: 7, end: 9 }],
  ["bytes=7-99", 10, { start: 7, end: 9 }],
  ["bytes=-3", 10, { start: 7, end: 9 }],
  ["bytes=-99", 10, { start: 0, end: 9 }],
])("%s of %i bytes is a range", (header, size, range) => {
  expect(parseRange(header, size)).toEqual(range);
});

test.each([
  ["bytes=10-", 10],
  ["bytes=0-", 0],
  ["bytes=-0", 10],
  ["bytes=-5", 0],
])("%s of %i bytes cannot be satisfied", (header, size) => {
  expect(parseRange(header, size)).toBe("unsatisfiable");
});

test.each([undefined, "", "bytes=-", "bytes=5-2", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b"])(
  "%s asks for the whole file",
  (header) => {
    expect(parseRange(header, 10)).toBeNull();
  },
);
