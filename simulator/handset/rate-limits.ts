/** Meta: "Pair rate limits": one message to the same person every six seconds, of which 45 may be sent at once. */
const PAIR_EVERY_MS = 6_000;
const PAIR_BURST = 45;
/** Meta: "Throughput": 80 messages a second from one number. */
const NUMBER_EVERY_MS = 1_000 / 80;
const NUMBER_BURST = 80;
/** Buckets that are looked at before full ones are forgotten. */
const BUCKETS_MAX = 10_000;

/** The limits that Meta keeps on how fast messages are sent, by the virtual clock. */
export class RateLimits {
  /** When each bucket will be empty again, in ms. */
  readonly #emptyAt = new Map<string, number>();

  /** Takes one message out of both limits, or names the one that does not allow it; then nothing is taken. */
  take(numberId: string, peer: string, now: number): "pair" | "number" | null {
    const pair = this.#after(`${numberId} ${peer}`, now, PAIR_EVERY_MS, PAIR_BURST);
    if (pair === null) return "pair";
    const number = this.#after(numberId, now, NUMBER_EVERY_MS, NUMBER_BURST);
    if (number === null) return "number";
    this.#emptyAt.set(`${numberId} ${peer}`, pair);
    this.#emptyAt.set(numberId, number);
    if (this.#emptyAt.size > BUCKETS_MAX) this.#forget(now);
    return null;
  }

  clear(): void {
    this.#emptyAt.clear();
  }

  /** When the bucket is empty after one more, or null when it is full. */
  #after(key: string, now: number, everyMs: number, burst: number): number | null {
    const emptyAt = Math.max(now, this.#emptyAt.get(key) ?? 0);
    return emptyAt - now > (burst - 1) * everyMs ? null : emptyAt + everyMs;
  }

  #forget(now: number): void {
    for (const [key, emptyAt] of this.#emptyAt) if (emptyAt <= now) this.#emptyAt.delete(key);
  }
}
