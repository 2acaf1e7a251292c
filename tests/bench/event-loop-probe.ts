import fs from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

/**
 * Loaded into the engine's process by the benchmark (NODE_OPTIONS): on SIGUSR2 it writes how late the event loop has been
 * since the last time, in milliseconds, to the file that PONS_BENCH_PROBE names.
 */
const RESOLUTION_MS = 1;
const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
histogram.enable();

const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);

process.on("SIGUSR2", () => {
  const file = process.env["PONS_BENCH_PROBE"];
  if (file === undefined) return;
  const seen = {
    p99Ms: ms(histogram.percentile(99)),
    p999Ms: ms(histogram.percentile(99.9)),
    maxMs: ms(histogram.max),
  };
  histogram.reset();
  // Under its last name only when it is whole, so that the reader never sees half of it.
  fs.writeFileSync(`${file}.part`, JSON.stringify(seen));
  fs.renameSync(`${file}.part`, file);
});
