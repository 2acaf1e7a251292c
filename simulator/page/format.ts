/** Times, sizes and numbers as people read them. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export function timeOfDay(ms: number): string {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function timeWithSeconds(ms: number): string {
  return new Date(ms).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
}

export function dateAndTime(ms: number): string {
  return new Date(ms).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

/** "Today", "Yesterday", or the date, as seen from now. */
export function dayName(ms: number, now: number): string {
  const day = new Date(ms).toDateString();
  if (day === new Date(now).toDateString()) return "Today";
  if (day === new Date(now - DAY_MS).toDateString()) return "Yesterday";
  return new Date(ms).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

/** A span such as "23 h 10 min", no finer than two units. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${Math.round(ms / 1000)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  const [large, unit, small, smallUnit]: [number, string, number, string] =
    ms < DAY_MS ? [HOUR_MS, "h", MINUTE_MS, "min"] : [DAY_MS, "d", HOUR_MS, "h"];
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${unit}${rest === 0 ? "" : ` ${rest} ${smallUnit}`}`;
}

export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** `+16505551234` with spaces that help the eye; digits of unknown countries in threes. */
export function phoneNumber(phone: string): string {
  const american = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(phone);
  if (american !== null) return `+1 ${american[1]} ${american[2]} ${american[3]}`;
  const [, country = "", rest = ""] = /^\+(\d{2})(\d*)$/.exec(phone) ?? [];
  return country === "" ? phone : `+${country} ${rest.replace(/(\d{3})(?=\d{3})/g, "$1 ")}`;
}

export function initials(name: string): string {
  const words = name
    .replace(/[^\p{L}\p{N} ]/gu, "")
    .split(" ")
    .filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : ""]
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("")
    .toUpperCase();
}

/** Spreads texts over so many numbers, the same text always on the same one. */
export function hashTo(text: string, count: number): number {
  // FNV-1a, whose upper half is mixed well also for short texts.
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 16) % count;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
