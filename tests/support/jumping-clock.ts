import { type Clock, systemClock } from "../../engine/clock";

/** The system's clock, which a test can move forward: what falls due on the way runs at once. */
export type JumpingClock = Clock & { jump(byMs: number): void };

export function jumpingClock(): JumpingClock {
  let aheadMs = 0;
  const timers = new Set<{ dueMs: number; run: () => void }>();
  const nowMs = () => systemClock.nowMs() + aheadMs;
  return {
    nowMs,
    setTimer(delayMs, run) {
      const timer = {
        dueMs: nowMs() + delayMs,
        run: () => {
          cancel();
          run();
        },
      };
      const cancelReal = systemClock.setTimer(delayMs, timer.run);
      const cancel = () => {
        timers.delete(timer);
        cancelReal();
      };
      timers.add(timer);
      return cancel;
    },
    randomBytes: (length) => systemClock.randomBytes(length),
    jump(byMs) {
      aheadMs += byMs;
      for (const timer of [...timers].filter(({ dueMs }) => dueMs <= nowMs())) timer.run();
    },
  };
}
