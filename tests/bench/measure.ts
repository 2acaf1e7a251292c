import fs from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";

/** The value below which `share` of the samples lie. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

export const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

export async function timedMs(run: () => unknown): Promise<number> {
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}

/** Keeps `inFlight` calls of `run` going until `count` of them are done; answers how many that was per second. */
export async function throughput(
  count: number,
  inFlight: number,
  run: (n: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < count; n = next++) {
      await run(n);
    }
  };
  const ms = await timedMs(() => Promise.all(Array.from({ length: inFlight }, worker)));
  return count / (ms / 1000);
}

/** Median time that the disk under `folder` takes to keep 4 KiB, in microseconds. */
export function fsyncP50Us(folder: string): number {
  const file = path.join(folder, "fsync-probe");
  const page = Buffer.alloc(4096, 1);
  const descriptor = fs.openSync(file, "w");
  const samples: number[] = [];
  for (let n = 0; n < 300; n++) {
    const startMs = performance.now();
    fs.writeSync(descriptor, page, 0, page.length, n * page.length);
    fs.fsyncSync(descriptor);
    samples.push((performance.now() - startMs) * 1000);
  }
  fs.closeSync(descriptor);
  fs.rmSync(file);
  return median(samples);
}
