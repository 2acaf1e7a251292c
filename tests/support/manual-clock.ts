import { randomBytes } from "node:crypto";
import type { Clock } from "../../engine/clock";

/** A clock that stands until the test moves it. Timers run when the time that they wait for has been passed. */
export class ManualClock implements Clock {
  readonly standsStill = true;
  #nowMs: number;
  #timers: { dueMs: number; run: () => void }[] = [];

  constructor(startMs = Date.parse("2026-01-05T10:00:00Z")) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, run: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  randomBytes(length: number): Uint8Array {
    return randomBytes(length);
  }

  /** Moves the clock and runs the timers on the way, in the order of their times. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#timers.filter((timer) => timer.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.run();
    }
    this.#nowMs = endMs;
  }
}
