export interface Backoff {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

/** For a send that provably did not reach Meta: 1, 2, 4, 8 s. */
export const NOT_SENT_BACKOFF: Backoff = { firstMs: 1_000, factor: 2, maxMs: 8_000 };

/** For Meta's pair limit: 4^n seconds, as its error page advises; within an hour every burst is forgiven. */
export const PAIR_LIMIT_BACKOFF: Backoff = { firstMs: 1_000, factor: 4, maxMs: 3_600_000 };

/**
 * The wait before the given attempt (the first repetition is 1), spread by up to a fifth to either side so that many
 * waiters do not return together. `spread` is between 0 and 1; derive it from an id to make a wait reproducible.
 */
export function backoffMs(backoff: Backoff, repetition: number, spread = 0.5): number {
  const plain = Math.min(backoff.maxMs, backoff.firstMs * backoff.factor ** Math.max(0, repetition - 1));
  return Math.round(plain * (0.8 + 0.4 * Math.min(1, Math.max(0, spread))));
}
