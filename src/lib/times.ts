import { DAY_MS, HOUR_MS, MINUTE_MS } from "#shared/time";

/** Formats are made once: constructing them is the slow part. `undefined` is the browser's own language. */
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const weekdayLong = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dateWithYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const dateLong = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

/** The time on a message: 09:41. */
export function clockTime(at: number): string {
  return clock.format(at);
}

/** Everything about a moment, for those who hover or listen. */
export function fullTime(at: number): string {
  return full.format(at);
}

/** How long ago, as short as a list can take: now, 5 min, 09:41, Yesterday, Mon, 4 Mar, 4 Mar 2024. */
export function relativeTime(at: number, now: number): string {
  if (now - at < MINUTE_MS) return "now";
  if (now - at < HOUR_MS) return `${Math.floor((now - at) / MINUTE_MS)} min`;
  const days = daysBetween(at, now);
  if (days === 0) return clock.format(at);
  if (days === 1) return "Yesterday";
  if (days < 7) return weekday.format(at);
  return isSameYear(at, now) ? date.format(at) : dateWithYear.format(at);
}

/** The day above the messages of that day. */
export function dayName(at: number, now: number): string {
  const days = daysBetween(at, now);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  return days < 7 ? weekdayLong.format(at) : dateLong.format(at);
}

/** One value per day in the reader's time zone. */
export function dayKey(at: number): number {
  return startOfDay(at);
}

/** Midnights between two moments. Rounded, because a day with a clock change has 23 or 25 hours. */
function daysBetween(at: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

function isSameYear(a: number, b: number): boolean {
  return new Date(a).getFullYear() === new Date(b).getFullYear();
}
