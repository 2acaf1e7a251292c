import { z } from "zod";
import { developerError } from "../errors";
import type { JsonValue } from "../types";

const minuteUTC = z.number().optional();
const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/** What `crons.export()` of `convex/server` says about one cron. All times are UTC. */
const scheduleJson = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("interval"),
    seconds: z.number().optional(),
    minutes: z.number().optional(),
    hours: z.number().optional(),
  }),
  z.object({ type: z.literal("hourly"), minuteUTC }),
  z.object({ type: z.literal("daily"), hourUTC: z.number(), minuteUTC }),
  z.object({ type: z.literal("weekly"), dayOfWeek: z.string(), hourUTC: z.number(), minuteUTC }),
  z.object({ type: z.literal("monthly"), day: z.number(), hourUTC: z.number(), minuteUTC }),
  z.object({ type: z.literal("cron"), cron: z.string() }),
]);

export type CronSchedule =
  | { everyMs: number }
  | {
      minutes: Set<number>;
      hours: Set<number>;
      days: Set<number> | null;
      months: Set<number>;
      weekdays: Set<number> | null;
      lastDay: boolean;
    };

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
/** A date that comes at all comes within eight years: February 29 across a year like 2100. */
const SEARCH_DAYS_MAX = 8 * 366;

const span = (from: number, to: number): Set<number> =>
  new Set(Array.from({ length: to - from + 1 }, (_, n) => from + n));

/**
 * Reads a schedule. A minute that is left open is chosen by the name of the cron: spread over the hour, yet the same
 * after every restart. Throws "developer" for an expression that cannot be read.
 */
export function parseSchedule(name: string, json: JsonValue): CronSchedule {
  const given = scheduleJson.parse(json);
  if (given.type === "interval") {
    const seconds = (given.seconds ?? 0) + 60 * (given.minutes ?? 0) + 3600 * (given.hours ?? 0);
    return { everyMs: seconds * 1000 };
  }
  if (given.type === "cron") return parseCron(name, given.cron);
  const at = (hours: Set<number>, days: Set<number> | null, weekdays: Set<number> | null): CronSchedule => ({
    minutes: new Set([given.minuteUTC ?? minuteOf(name)]),
    hours,
    days,
    months: span(1, 12),
    weekdays,
    lastDay: false,
  });
  switch (given.type) {
    case "hourly":
      return at(span(0, 23), null, null);
    case "daily":
      return at(new Set([given.hourUTC]), null, null);
    case "weekly":
      return at(new Set([given.hourUTC]), null, new Set([DAYS.indexOf(given.dayOfWeek.toLowerCase())]));
    case "monthly":
      return at(new Set([given.hourUTC]), new Set([given.day]), null);
  }
}

/** FNV-1a: any hash would do that never changes. */
function minuteOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0) % 60;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

function parseCron(name: string, text: string): CronSchedule {
  const fields = text.trim().split(/\s+/);
  const [minute, hour, day, month, weekday] = fields;
  const wrong = () =>
    developerError("InvalidCron", `The cron job '${name}' has an expression that cannot be read: ${text}`);
  if (fields.length !== 5 || !minute || !hour || !day || !month || !weekday) throw wrong();
  const field = (
    part: string,
    from: number,
    to: number,
    names: readonly string[] = [],
    base = 0,
  ): Set<number> => {
    const values = parseField(part, from, to, names, base);
    if (values === null) throw wrong();
    return values;
  };
  const isOpen = (part: string) => part === "*" || part === "?";
  const weekdays = isOpen(weekday)
    ? null
    : field(
        weekday,
        0,
        7,
        DAYS.map((full) => full.slice(0, 3)),
      );
  if (weekdays?.delete(7)) weekdays.add(0);
  return {
    minutes: field(minute, 0, 59),
    hours: field(hour, 0, 23),
    days: isOpen(day) || day === "L" ? null : field(day, 1, 31),
    months: field(month, 1, 12, MONTHS, 1),
    weekdays,
    lastDay: day === "L",
  };
}

/** `*`, `5`, `1-5`, `*`/`15`, `10-20/2`, `mon-fri` and lists of them; null for anything else. */
function parseField(
  text: string,
  from: number,
  to: number,
  names: readonly string[],
  base: number,
): Set<number> | null {
  const values = new Set<number>();
  const numberOf = (part: string): number => {
    const named = names.indexOf(part.toLowerCase());
    if (named >= 0) return named + base;
    return /^\d+$/.test(part) ? Number(part) : Number.NaN;
  };
  for (const item of text.split(",")) {
    const [range = "", stepText, ...more] = item.split("/");
    const step = stepText === undefined ? 1 : numberOf(stepText);
    const [low = "", high, ...rest] = range.split("-");
    const first = range === "*" ? from : numberOf(low);
    const last = range === "*" || (high === undefined && stepText !== undefined) ? to : numberOf(high ?? low);
    const fits = first >= from && last <= to && first <= last && step >= 1;
    if (!fits || more.length > 0 || rest.length > 0) return null;
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return values;
}

/**
 * The first time of a schedule strictly after `afterMs`.
 *
 * @param anchorMs for intervals: a time of the series, from which all others are counted
 * @returns Unix milliseconds; null for a date that never comes, as February 30
 */
export function nextTime(schedule: CronSchedule, anchorMs: number, afterMs: number): number | null {
  if ("everyMs" in schedule) {
    const steps = Math.floor((afterMs - anchorMs) / schedule.everyMs) + 1;
    return anchorMs + Math.max(0, steps) * schedule.everyMs;
  }
  const firstMs = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;
  for (let n = 0; n < SEARCH_DAYS_MAX; n++) {
    const dayMs = Math.floor(firstMs / DAY_MS) * DAY_MS + n * DAY_MS;
    if (!dayFits(schedule, new Date(dayMs))) continue;
    for (const hour of [...schedule.hours].sort((a, b) => a - b)) {
      for (const minute of [...schedule.minutes].sort((a, b) => a - b)) {
        const timeMs = dayMs + hour * 3_600_000 + minute * MINUTE_MS;
        if (timeMs >= firstMs) return timeMs;
      }
    }
  }
  return null;
}

/** When both the day of the month and the day of the week are given, either of them is enough, as in Unix cron. */
function dayFits(schedule: Exclude<CronSchedule, { everyMs: number }>, date: Date): boolean {
  if (!schedule.months.has(date.getUTCMonth() + 1)) return false;
  const isLast = new Date(date.getTime() + DAY_MS).getUTCDate() === 1;
  const byDay = schedule.lastDay ? isLast : (schedule.days?.has(date.getUTCDate()) ?? null);
  const byWeekday = schedule.weekdays?.has(date.getUTCDay()) ?? null;
  if (byDay === null || byWeekday === null) return byDay ?? byWeekday ?? true;
  return byDay || byWeekday;
}
