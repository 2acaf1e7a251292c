import { createHash } from "node:crypto";
import { createRandom, type Random } from "./functions/sandbox/state";

/** Turns of the event loop that a system call may be held up. */
const TURNS_MAX = 3;
/** Share of mutations whose first attempt is made to lose against nobody. */
const CONFLICT_SHARE = 0.3;
/** How long before its function started a document may seem to be created. */
const CREATION_LAG_MS_MAX = 5_000;
/** Convex starts crons with a fixed minute up to a minute late. */
const CRON_DELAY_MS_MAX = 60_000;
/** Share of the calls after which a worker for Node actions ends. */
const RECYCLE_SHARE = 0.5;

/**
 * The bad luck that a busy deployment brings and a quiet process never shows: calls that interleave, mutations that
 * lose, creation times out of order, late crons, workers that go away. A tool for tests: what holds under it, holds on
 * Convex. The seed fixes what is drawn; what it falls on also depends on the order of the calls.
 */
export class Chaos {
  readonly #random: Random;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = createRandom(createHash("sha256").update(`chaos ${seed}`).digest("hex"));
  }

  /** Lets others go first, for a few turns of the event loop or not at all. */
  async holdUp(): Promise<void> {
    const turns = Math.floor(this.#random.next() * (TURNS_MAX + 1));
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Whether a mutation that could commit has to run again. */
  loses(): boolean {
    return this.#random.next() < CONFLICT_SHARE;
  }

  creationLagMs(): number {
    return Math.floor(this.#random.next() * CREATION_LAG_MS_MAX);
  }

  /** How late the run `key` of a cron starts; always the same for the same key. */
  cronDelayMs(key: string): number {
    const digest = createHash("sha256").update(`${this.#seed} ${key}`).digest();
    return digest.readUInt32BE(0) % CRON_DELAY_MS_MAX;
  }

  recycles(): boolean {
    return this.#random.next() < RECYCLE_SHARE;
  }

  /** A random order, for results whose order means nothing. */
  shuffle<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, at: this.#random.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }
}
