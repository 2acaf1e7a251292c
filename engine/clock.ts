import { randomBytes } from "node:crypto";

/**
 * The only door through which time and randomness enter the engine (law L8).
 * Everything else receives a Clock, so that a test can hold time still and repeat a run byte for byte.
 */
export interface Clock {
  /** Wall clock in Unix milliseconds. It may step back; nothing durable may rely on its order. */
  nowMs(): number;
  /** Calls `run` once after `delayMs`; the answer cancels it. A pending timer does not keep the process alive. */
  setTimer(delayMs: number, run: () => void): () => void;
  /** Cryptographically strong bytes: ids, tokens and the seeds of functions. */
  randomBytes(length: number): Uint8Array;
  /** True for a clock that moves only when it is told to. */
  readonly standsStill?: boolean;
}

/** setTimeout takes a signed 32-bit delay; longer waits are cut and set again (Node documentation, timers). */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  setTimer(delayMs, run) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number) => {
      const stepMs = Math.max(0, Math.min(leftMs, TIMER_DELAY_MS_MAX));
      timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : run()), stepMs);
      timer.unref();
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
  randomBytes: (length) => randomBytes(length),
};
