import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";

/** How often it is looked at whose time has come. */
const TICK_MS = 1;

/**
 * Calls `run` `perSecond` times a second, whether or not earlier calls have ended, and answers how long each took from
 * the moment at which it should have begun (ms): a server that stands still is not spared the calls that it delayed.
 */
export async function openLoop(
  count: number,
  perSecond: number,
  run: (n: number) => Promise<unknown>,
): Promise<number[]> {
  const startMs = performance.now();
  const latencies: number[] = [];
  const calls: Promise<void>[] = [];
  for (let n = 0; n < count; await setTimeout(TICK_MS)) {
    for (; n < count; n++) {
      const intendedMs = startMs + (n / perSecond) * 1000;
      if (intendedMs > performance.now()) break;
      const call = run(n).then(() => {
        latencies.push(performance.now() - intendedMs);
      });
      calls.push(call);
    }
  }
  await Promise.all(calls);
  return latencies;
}
