/** Milliseconds everywhere in our code; Meta's seconds are turned into them at the border. */
export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Seconds after this (the year 5138) cannot be seconds: a sender that writes milliseconds is taken at its word. */
const SECONDS_MAX = 100_000_000_000;

/**
 * Meta's timestamp (seconds, as a string, sometimes as a number) in milliseconds, or undefined when it is none.
 * Fractions are dropped; zero and negative values are no time at which anybody wrote a message.
 */
export function metaTimestampMs(value: unknown): number | undefined {
  if (typeof value === "string" && !/^\d{1,16}(\.\d+)?$/.test(value)) return undefined;
  const number =
    typeof value === "string" || typeof value === "number" ? Math.trunc(Number(value)) : Number.NaN;
  if (!Number.isSafeInteger(number) || number <= 0) return undefined;
  const timestampMs = number < SECONDS_MAX ? number * SECOND_MS : number;
  return timestampMs < SECONDS_MAX * SECOND_MS ? timestampMs : undefined;
}

/** Milliseconds as Meta writes a time in a webhook: whole seconds, as a string. */
export function metaTimestamp(timestampMs: number): string {
  return String(Math.floor(timestampMs / SECOND_MS));
}

/** How far a sender's clock may run ahead of ours before its time is doubted. */
export const FUTURE_TOLERANCE_MS = 10 * MINUTE_MS;

/** A sender's time for sorting and windows: taken as it is, but never further ahead of `now` than the tolerance. */
export function believableTimeMs(timestampMs: number, now: number): number {
  return Math.min(timestampMs, now + FUTURE_TOLERANCE_MS);
}
