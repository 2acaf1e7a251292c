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
  /** This moment of the virtual clock was that one of the real clock; from there it runs at its speed. */
  #virtualAt = Date.now();
  #realAt = this.#virtualAt;
  #speed = 1;
  /** Calls of `advance` under way: as long as there is one, nothing happens but by it. */
  #advancing = 0;
  /** The time at which the clock stands still, or null when it runs. */
  #frozenAt: number | null = null;
  #timers: Timer[] = [];
  #wakeUp: NodeJS.Timeout | undefined;
  /** Tasks that have begun and not ended, whoever began them. */
  readonly #running = new Set<Promise<void>>();

  /** Milliseconds since 1970. */
  now(): number {
    return this.#frozenAt ?? Math.floor(this.#virtualAt + (Date.now() - this.#realAt) * this.#speed);
  }

  get isFrozen(): boolean {
    return this.#frozenAt !== null;
  }

  /** From now on time passes only by `advance`: the same events then happen at the very same times. */
  freeze(): void {
    this.#frozenAt ??= this.now();
    clearTimeout(this.#wakeUp);
  }

  /** Time passes by itself again, from where it stands. */
  thaw(): void {
    if (this.#frozenAt === null) return;
    this.#startAt(this.#frozenAt);
    this.#frozenAt = null;
    this.#arm();
  }

  get speed(): number {
    return this.#speed;
  }

  /** So many virtual seconds pass in a real one from now on. */
  setSpeed(speed: number): void {
    this.#startAt(this.now());
    this.#speed = speed;
    this.#arm();
  }

  /** How much is still to come, and when the first of it falls due (ms since 1970). */
  planned(): { waiting: number; nextAt: number | null } {
    return { waiting: this.#timers.length, nextAt: this.#timers[0]?.dueAt ?? null };
  }

  /** How far the clock is from the real one, and whether it stands still. */
  position(): { aheadMs: number; frozenAt: number | null } {
    return { aheadMs: this.now() - Date.now(), frozenAt: this.#frozenAt };
  }

  /** Takes over a position; nothing may be planned. */
  moveTo({ aheadMs, frozenAt }: { readonly aheadMs: number; readonly frozenAt: number | null }): void {
    this.#startAt(Date.now() + aheadMs);
    this.#frozenAt = frozenAt;
  }

  /** Makes it this moment (ms since 1970), be it past or future, as long as nothing is planned; else false. */
  set(now: number): boolean {
    if (this.#timers.length > 0) return false;
    this.#move(now);
    return true;
  }

  /** Runs a task once the clock has reached now + delay. Tasks of the same moment run in the order of their planning. */
  after(delayMs: number, run: () => void | Promise<void>): void {
    const timer = { dueAt: this.now() + delayMs, run };
    const position = this.#positionAfter(timer.dueAt);
    this.#timers.splice(position, 0, timer);
    if (position === 0) this.#arm();
  }

  /**
   * Moves time ahead. Resolves when everything that was already under way, and then everything that fell due on the
   * way, each at its own moment, has been done; a webhook whose receiver does not answer holds it for as long.
   */
  async advance(ms: number): Promise<void> {
    // What is under way plans what follows from it by the time that it is now, not by the one that is asked for.
    this.#advancing++;
    try {
      while (this.#running.size > 0) await Promise.all(this.#running);
      const target = this.now() + ms;
      for (let timer = this.#takeDue(target); timer !== undefined; timer = this.#takeDue(target)) {
        this.#move(Math.max(timer.dueAt, this.now()));
        await this.#run(timer);
      }
      this.#move(Math.max(target, this.now()));
      await Promise.all(this.#running);
    } finally {
      this.#advancing--;
      this.#arm();
    }
  }

  /** Back to real time with nothing planned. */
  reset(): void {
    this.#speed = 1;
    this.#startAt(Date.now());
    this.#frozenAt = null;
    this.#timers = [];
    clearTimeout(this.#wakeUp);
  }

  #move(now: number): void {
    if (this.#frozenAt === null) this.#startAt(now);
    else this.#frozenAt = now;
  }

  #startAt(now: number): void {
    this.#virtualAt = now;
    this.#realAt = Date.now();
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
    if (first === undefined || this.#frozenAt !== null || this.#advancing > 0) return;
    const waitMs = Math.min(Math.max(0, Math.ceil((first.dueAt - this.now()) / this.#speed)), TIMEOUT_MS_MAX);
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
