import { EngineError } from "../errors";

/**
 * A bounded number of places for calls that run at once, and a bounded queue in front of them, first come, first
 * served. `take` answers a function that gives the place back; it throws "overloaded" when the queue is full.
 */
export class Places {
  readonly #waiting: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];
  /** One for each place that is taken, resolved when it is given back. */
  readonly #taken = new Set<Promise<void>>();
  #free: number;
  readonly #total: number;
  readonly #waitingMax: number;
  readonly #what: string;

  constructor(what: string, total: number, waitingMax: number) {
    this.#what = what;
    this.#free = total;
    this.#total = total;
    this.#waitingMax = waitingMax;
  }

  get busy(): number {
    return this.#total - this.#free;
  }

  /** Resolves at the next moment when nobody has a place. */
  whenIdle(): Promise<void> {
    if (this.busy === 0) return Promise.resolve();
    return new Promise((idle) => this.#idle.push(idle));
  }

  /** Resolves when all that have a place now have given it back; whoever comes later is not waited for. */
  async whenTheseLeft(): Promise<void> {
    await Promise.all(this.#taken);
  }

  async take(): Promise<() => void> {
    if (this.#free > 0) {
      this.#free--;
    } else {
      if (this.#waiting.length >= this.#waitingMax) {
        throw new EngineError(
          "overloaded",
          "TooManyConcurrentRequests",
          `Too many concurrent ${this.#what}: ${this.#total} run and ${this.#waiting.length} wait. Try again later.`,
        );
      }
      await new Promise<void>((go) => this.#waiting.push(go));
    }
    let left = () => {};
    const taken = new Promise<void>((resolve) => {
      left = resolve;
    });
    this.#taken.add(taken);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#taken.delete(taken);
      left();
      const next = this.#waiting.shift();
      if (next !== undefined) {
        next();
        return;
      }
      this.#free++;
      if (this.busy === 0) for (const idle of this.#idle.splice(0)) idle();
    };
  }
}
