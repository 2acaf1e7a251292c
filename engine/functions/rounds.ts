import vm from "node:vm";

/** One stretch of a function's own code: from the start, or from answered calls, until it waits or ends. */
export type Step = {
  run(): void;
  /** Time that it may still use. */
  budgetMs: number;
};

/** `struck` says that the watchdog ended the step. */
export type StepEnd = { struck: boolean; usedMs: number };

type Waiting = { step: Step; end(result: StepEnd): void };

/** A round that has run this long is cut, so that a step behind others still has nearly its whole time. */
const ROUND_MS_MAX = 20;

/**
 * Runs the code of all functions that are ready, together, under one watchdog. A `vm` timeout costs a thread, some
 * 70 us, whatever it guards: one function after the other would spend most of its time on it. The watchdog may strike
 * anywhere, without `finally`, so a step must touch nothing that outlives its call; commits, nested calls and
 * everything else happens between rounds.
 */
export class Rounds {
  readonly #context: vm.Context;
  readonly #script = new vm.Script("round()");
  #ready: Waiting[] = [];
  #planned = false;

  constructor() {
    const round = () => this.#steps();
    this.#context = vm.createContext(Object.assign(Object.create(null), { round }), {
      microtaskMode: "afterEvaluate",
    });
  }

  /** Runs `step` in the next round. */
  run(step: Step): Promise<StepEnd> {
    return new Promise((end) => {
      this.#ready.push({ step, end });
      if (!this.#planned) {
        this.#planned = true;
        setImmediate(() => this.#round());
      }
    });
  }

  #current: { waiting: Waiting; startMs: number } | null = null;
  #ended: (() => void)[] = [];
  #deadlineMs = 0;

  /**
   * Inside the watchdog. Whatever happens here may be cut off at any place, so a step counts as current from before
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

  #round(): void {
    this.#planned = false;
    const budgetMs = Math.max(1, ...this.#ready.map((waiting) => waiting.step.budgetMs));
    this.#deadlineMs = performance.now() + ROUND_MS_MAX;
    try {
      this.#script.runInContext(this.#context, { timeout: Math.ceil(budgetMs) + ROUND_MS_MAX });
    } catch (error) {
      this.#struck(error);
    }
    const ended = this.#ended;
    this.#ended = [];
    for (const end of ended) end();
    if (this.#ready.length > 0 && !this.#planned) {
      this.#planned = true;
      setImmediate(() => this.#round());
    }
  }

  #struck(error: unknown): void {
    const struck = this.#current;
    this.#current = null;
    if (struck === null) {
      if (isTimeout(error)) return;
      throw error;
    }
    if (this.#ready[0] === struck.waiting) this.#ready.shift();
    const usedMs = performance.now() - struck.startMs;
    this.#ended.push(() => struck.waiting.end({ struck: true, usedMs }));
  }
}

const isTimeout = (error: unknown): boolean =>
  typeof error === "object" &&
  error !== null &&
  Reflect.get(error, "code") === "ERR_SCRIPT_EXECUTION_TIMEOUT";
