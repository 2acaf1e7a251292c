import { type Guard, type Guarded, guardOfThisThread } from "./guard/guard";

/** One stretch of a function's own code: from the start, or from answered calls, until it waits or ends. */
export type Step = {
  run(): void;
  /** Time that it may still use. */
  budgetMs: number;
};

/** `struck` says that the guard ended the step. */
export type StepEnd = { struck: boolean; usedMs: number };

type Waiting = { step: Step; end(result: StepEnd): void };

/** A round that has run this long is cut, so that a step behind others still has nearly its whole time. */
const ROUND_MS_MAX = 20;

/**
 * Runs the code of all functions that are ready, together, under one guard, so that a turn of the event loop is shared
 * as well. The guard may strike anywhere, without `finally`, so a step must touch nothing that outlives its call;
 * commits, nested calls and everything else happens between rounds.
 */
export class Rounds {
  readonly #guard: Guard;
  #ready: Waiting[] = [];
  #planned = false;

  constructor(guard: Guard = guardOfThisThread()) {
    this.#guard = guard;
  }

  /** Runs `step` in the next round. */
  run(step: Step): Promise<StepEnd> {
    return new Promise((end) => {
      this.#ready.push({ step, end });
      this.#plan();
    });
  }

  #plan(): void {
    if (!this.#planned && this.#ready.length > 0) {
      this.#planned = true;
      this.#guard.soon(() => this.#round());
    }
  }

  #current: { waiting: Waiting; startMs: number } | null = null;
  #ended: (() => void)[] = [];
  #deadlineMs = 0;

  /**
   * Under the guard. Whatever happens here may be cut off at any place, so a step counts as current from before
   * it leaves the queue until its end is noted; ending it twice does no harm.
   */
  #steps(): void {
    while (performance.now() < this.#deadlineMs) {
      const waiting = this.#ready[0];
      if (waiting === undefined) return;
      const startMs = performance.now();
      this.#current = { waiting, startMs };
      this.#ready.shift();
      waiting.step.run();
      const usedMs = performance.now() - startMs;
      this.#ended.push(() => waiting.end({ struck: false, usedMs }));
      this.#current = null;
    }
  }

  #round(): Guarded {
    this.#planned = false;
    const budgetMs = Math.max(1, ...this.#ready.map((waiting) => waiting.step.budgetMs));
    this.#deadlineMs = performance.now() + ROUND_MS_MAX;
    return {
      limitMs: budgetMs + ROUND_MS_MAX,
      run: () => this.#steps(),
      ended: (struck) => {
        if (struck) this.#struck();
        const ended = this.#ended;
        this.#ended = [];
        for (const end of ended) end();
        this.#plan();
      },
    };
  }

  #struck(): void {
    const struck = this.#current;
    this.#current = null;
    if (struck === null) return;
    if (this.#ready[0] === struck.waiting) this.#ready.shift();
    const usedMs = performance.now() - struck.startMs;
    this.#ended.push(() => struck.waiting.end({ struck: true, usedMs }));
  }
}
