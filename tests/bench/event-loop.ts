import fs from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePorts, startEngineProcess } from "../support/engine-process";
import { openHttpLoad } from "./http-load";
import { median, rounded } from "./measure";
import { openSubscribers } from "./subscribers";

/** The load that one deployment is built for: a busy team's messages, and everybody looking on. */
const MUTATIONS_PER_SECOND = 300;
const SUBSCRIBERS = 100;
const SECONDS = 5;
const ROUNDS = 5;
const TICK_MS = 10;
const PROBE = fileURLToPath(new URL("./event-loop-probe.ts", import.meta.url));

/** How late the engine's event loop is at nominal load, as its own process sees it. */
export async function measureEventLoop(folder: string, dataDir: string, say: (line: string) => void) {
  const file = path.join(folder, "event-loop.json");
  const before = { ...process.env };
  process.env["NODE_OPTIONS"] = `--import tsx --import ${PROBE}`;
  process.env["PONS_BENCH_PROBE"] = file;
  const engine = await startEngineProcess(dataDir, await freePorts(), ["--isolation", "reuse"]);
  process.env["NODE_OPTIONS"] = before["NODE_OPTIONS"] ?? "";
  const subscribers = await openSubscribers(engine.url, SUBSCRIBERS, "g1");
  const http = openHttpLoad(engine.url, 64);
  const seen: { p99Ms: number; p999Ms: number; maxMs: number }[] = [];
  // The first round warms up and is thrown away.
  for (let round = 0; round <= ROUNDS; round++) {
    await openLoop((n) =>
      http.call("mutation", "rows:insert", { group: `g${n % 100}`, n, text: "x".repeat(120) }),
    );
    fs.rmSync(file, { force: true });
    process.kill(engine.child.pid, "SIGUSR2");
    while (!fs.existsSync(file)) await setTimeout(TICK_MS);
    if (round > 0) seen.push(JSON.parse(fs.readFileSync(file, "utf8")));
  }
  subscribers.close();
  http.close();
  await engine.child.stop();
  const of = (key: "p99Ms" | "p999Ms" | "maxMs") => rounded(median(seen.map((round) => round[key])));
  say(
    `Event loop at ${MUTATIONS_PER_SECOND} mutations/s: late by p99 ${of("p99Ms")}, p99.9 ${of("p999Ms")}, at most ${of("maxMs")} ms`,
  );
  return { eventLoopP99Ms: of("p99Ms"), eventLoopP999Ms: of("p999Ms"), eventLoopMaxMs: of("maxMs") };
}

/** Calls at their times, whether or not earlier ones have been answered. */
async function openLoop(run: (n: number) => Promise<void>): Promise<void> {
  const startMs = performance.now();
  const total = MUTATIONS_PER_SECOND * SECONDS;
  const calls: Promise<void>[] = [];
  while (calls.length < total) {
    const due = Math.min(total, Math.ceil(((performance.now() - startMs) / 1000) * MUTATIONS_PER_SECOND));
    while (calls.length < due) calls.push(run(calls.length));
    await setTimeout(TICK_MS);
  }
  await Promise.all(calls);
}
