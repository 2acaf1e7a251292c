interface Timer {
  readonly dueAt: number;
  readonly run: () => void | Promise<void>;
}

/** Node's longest timer; a later one is looked at again when this has passed. */
const TIMEOUT_MS_MAX = 2_147_483_647;

/**
 * Time as the simulated world sees it: it runs with the real clock and can be pushed ahead. Everything that happens
 * later hangs on it (statuses, retries, expiries), so that a test can live through a week in a moment.
 */
export class VirtualClock {
  #aheadMs = 0;
  #timers: Timer[] = [];
  #wakeUp: NodeJS.Timeout | undefined;
  /** Tasks that have begun and not ended, whoever began them. */
  readonly #running = new Set<Promise<void>>();

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Runs a task once the clock has reached now + delay. Tasks of the same moment run in the order of their planning. */
  after(delayMs: number, run: () => void | Promise<void>): void {
    const timer = { dueAt: this.now() + delayMs, run };
    const position = this.#positionAfter(timer.dueAt);
    this.#timers.splice(position, 0, timer);
    if (position === 0) this.#arm();
  }

  /**
   * Moves time ahead. Resolves when everything that fell due on the way, each at its own moment, and everything that
   * was already under way has been done; a webhook whose receiver does not answer holds it for as long.
   */
  async advance(ms: number): Promise<void> {
    const target = this.now() + ms;
    for (let timer = this.#takeDue(target); timer !== undefined; timer = this.#takeDue(target)) {
      this.#aheadMs += Math.max(0, timer.dueAt - this.now());
      await this.#run(timer);
    }
    this.#aheadMs += Math.max(0, target - this.now());
    await Promise.all(this.#running);
    this.#arm();
  }

  /** Back to real time with nothing planned. */
  reset(): void {
    this.#aheadMs = 0;
    this.#timers = [];
    clearTimeout(this.#wakeUp);
  }

  #run(timer: Timer): Promise<void> {
    const task = Promise.resolve(timer.run()).finally(() => this.#running.delete(task));
    this.#running.add(task);
    return task;
  }

  /** Where a task of this moment belongs: behind the tasks of the same moment that were planned before it. */
  #positionAfter(dueAt: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#timers[middle]?.dueAt ?? 0) <= dueAt) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #takeDue(by: number): Timer | undefined {
    const first = this.#timers[0];
    return first !== undefined && first.dueAt <= by ? this.#timers.shift() : undefined;
  }

  #arm(): void {
    clearTimeout(this.#wakeUp);
    const first = this.#timers[0];
    if (first === undefined) return;
    const waitMs = Math.min(Math.max(0, first.dueAt - this.now()), TIMEOUT_MS_MAX);
    this.#wakeUp = setTimeout(() => {
      for (let timer = this.#takeDue(this.now()); timer !== undefined; timer = this.#takeDue(this.now())) {
        void this.#run(timer);
      }
      this.#arm();
    }, waitMs);
    // A pending status must not keep a process alive whose server is closed.
    this.#wakeUp.unref();
  }
}
