import { describe, expect, test } from "vitest";
import { nextTime, parseSchedule } from "./cron-schedule";

const at = (text: string): number => Date.parse(`${text}Z`);
const next = (schedule: object, after: string, name = "cron"): string | null => {
  const ms = nextTime(parseSchedule(name, schedule as never), at("2026-01-01T00:00:00"), at(after));
  return ms === null ? null : new Date(ms).toISOString().slice(0, 16);
};
const cron = (expression: string) => ({ type: "cron", cron: expression });

describe("the next time of a schedule", () => {
  test.each([
    [
      "an interval keeps its grid",
      { type: "interval", minutes: 7 },
      "2026-01-01T00:15:00",
      "2026-01-01T00:21",
    ],
    [
      "an interval never gives the same time twice",
      { type: "interval", hours: 1 },
      "2026-01-01T05:00:00",
      "2026-01-01T06:00",
    ],
    ["hourly", { type: "hourly", minuteUTC: 30 }, "2026-01-01T00:30:00", "2026-01-01T01:30"],
    [
      "daily, still today",
      { type: "daily", hourUTC: 17, minuteUTC: 5 },
      "2026-01-01T17:04:59",
      "2026-01-01T17:05",
    ],
    [
      "daily, tomorrow",
      { type: "daily", hourUTC: 0, minuteUTC: 0 },
      "2026-12-31T00:00:00",
      "2027-01-01T00:00",
    ],
    [
      "weekly",
      { type: "weekly", dayOfWeek: "tuesday", hourUTC: 9, minuteUTC: 0 },
      "2026-01-01T00:00:00",
      "2026-01-06T09:00",
    ],
    [
      "monthly, where the month has the day",
      { type: "monthly", day: 31, hourUTC: 1, minuteUTC: 0 },
      "2026-01-31T02:00:00",
      "2026-03-31T01:00",
    ],
    ["every five minutes", cron("*/5 * * * *"), "2026-01-01T00:03:10", "2026-01-01T00:05"],
    ["office hours", cron("0 9-17/4 * * mon-fri"), "2026-01-02T17:30:00", "2026-01-05T09:00"],
    ["lists", cron("15,45 6,18 * * *"), "2026-01-01T06:15:00", "2026-01-01T06:45"],
    ["Sunday is 0 and 7", cron("0 0 * * 7"), "2026-01-01T00:00:00", "2026-01-04T00:00"],
    ["the 13th or a Friday", cron("0 0 13 * 5"), "2026-01-10T00:00:00", "2026-01-13T00:00"],
    ["the last day of February", cron("0 12 L 2 *"), "2026-01-01T00:00:00", "2026-02-28T12:00"],
    ["February 29", cron("0 0 29 feb *"), "2026-01-01T00:00:00", "2028-02-29T00:00"],
  ])("%s", (_name, schedule, after, expected) => {
    expect(next(schedule, after)).toBe(expected);
  });

  test("a date that never comes has none", () => {
    expect(next(cron("0 0 30 2 *"), "2026-01-01T00:00:00")).toBeNull();
  });

  test("a minute that is left open is the same every hour, and depends on the name", () => {
    const minutes = ["a", "b", "c", "d"].map((name) =>
      next({ type: "hourly" }, "2026-01-01T00:00:00", name)?.slice(14),
    );
    expect(new Set(minutes).size).toBeGreaterThan(1);
    expect(next({ type: "hourly" }, "2026-01-01T01:00:00", "a")?.slice(14)).toBe(minutes[0]);
  });

  test.each([
    "* * * *",
    "60 * * * *",
    "* * 0 * *",
    "* * * * 8",
    "5-1 * * * *",
    "*/0 * * * *",
    "a * * * *",
    "1/2/3 * * * *",
  ])("%s cannot be read", (expression) => {
    expect(() => parseSchedule("night", cron(expression))).toThrow(
      "The cron job 'night' has an expression that cannot be read",
    );
  });
});
