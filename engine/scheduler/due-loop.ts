import type { Clock } from "../clock";

export type DueWork<Item> = {
  /** Items that are due, the longest waiting first; those in `running` are left out. */
  due(running: ReadonlySet<string>, limit: number): Item[];
  /** When the next item that is not running falls due, in Unix milliseconds; null without one. */
  nextDueMs(running: ReadonlySet<string>): number | null;
  keyOf(item: Item): string;
  /** Does the work to its end. Must not throw: what goes wrong is noted with the item. */
  run(item: Item): Promise<void>;
  parallel: number;
};

/**
 * Runs items when they fall due, several at once but each by itself only once. The items live in the database; this
 * keeps nothing but what runs now and one timer.
 */
export class DueLoop<Item> {
  readonly #clock: Clock;
  readonly #work: DueWork<Item>;
  readonly #running = new Map<string, Promise<void>>();
  #cancelTimer: () => void = () => undefined;
  #planned = false;
  #stopped = true;

  constructor(clock: Clock, work: DueWork<Item>) {
    this.#clock = clock;
    this.#work = work;
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** Starts nothing more. Answers when everything that runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await Promise.all(this.#running.values());
  }

  /** Says that items may have changed. Many calls at once cost one look. */
  wake(): void {
    if (this.#planned || this.#stopped) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      this.#look();
    });
  }

  #look(): void {
    if (this.#stopped) return;
    this.#cancelTimer();
    const busy = new Set(this.#running.keys());
    const free = this.#work.parallel - busy.size;
    if (free <= 0) return;
    for (const item of this.#work.due(busy, free)) this.#start(item);
    const nextMs = this.#work.nextDueMs(new Set(this.#running.keys()));
    if (nextMs === null) return;
    this.#cancelTimer = this.#clock.setTimer(Math.max(0, nextMs - this.#clock.nowMs()), () => this.wake());
  }

  #start(item: Item): void {
    const key = this.#work.keyOf(item);
    const run = this.#work.run(item).finally(() => {
      this.#running.delete(key);
      this.wake();
    });
    this.#running.set(key, run);
  }
}
