import { describe, expect, test } from "vitest";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "#shared/time";
import { clockTime, dayKey, dayName, relativeTime } from "./times";

/** Local time, because days are the reader's days. */
const at = (day: number, hour: number, minute = 0) => new Date(2026, 2, day, hour, minute).getTime();
const NOW = at(18, 15);

describe("the time in a list", () => {
  test.each([
    [NOW + 5 * SECOND_MS, "now"],
    [NOW - 59 * SECOND_MS, "now"],
    [NOW - MINUTE_MS, "1 min"],
    [NOW - 59 * MINUTE_MS, "59 min"],
    [at(18, 9, 5), clockTime(at(18, 9, 5))],
    [at(17, 23, 59), "Yesterday"],
    [at(12, 10), new Date(at(12, 10)).toLocaleDateString(undefined, { weekday: "short" })],
  ])("%d reads %j", (time, expected) => {
    expect(relativeTime(time, NOW)).toBe(expected);
  });

  test("names the year only when it is another one", () => {
    expect(relativeTime(at(1, 10), NOW)).not.toContain("2026");
    expect(relativeTime(NOW - 400 * DAY_MS, NOW)).toContain("2025");
  });
});

test("messages of one local day have one key, those around midnight two", () => {
  expect(dayKey(at(18, 0))).toBe(dayKey(at(18, 23, 59)));
  expect(dayKey(at(17, 23, 59))).not.toBe(dayKey(at(18, 0)));
});

test.each([
  [NOW, "Today"],
  [NOW + DAY_MS, "Today"],
  [at(17, 0), "Yesterday"],
])("the day of %d is named %s", (time, expected) => {
  expect(dayName(time, NOW)).toBe(expected);
});
