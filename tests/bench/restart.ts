import fs from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { systemClock } from "../../engine/clock";
import { openDatabase } from "../../engine/transaction/database";
import { copyApp, deploy, freePorts, killEngine, startEngineProcess } from "../support/engine-process";
import { openHttpLoad } from "./http-load";
import { median, rounded } from "./measure";

/** `PONS_BENCH_DOCUMENTS` makes a shorter run; the aim is stated for a million. */
const DOCUMENTS = Number(process.env["PONS_BENCH_DOCUMENTS"] ?? 1_000_000);
const DOCUMENTS_PER_COMMIT = 2_000;
const STARTS = 5;
const TEXT = "x".repeat(120);
const MIB = 1024 * 1024;

/**
 * How long a process with a million documents takes from its start to its first answer to a query, and how much memory
 * it then has. Each start follows a kill, so that there is a log to read.
 */
export async function measureRestart(folder: string, say: (line: string) => void) {
  const dataDir = path.join(folder, "restart");
  const ports = await freePorts();
  const app = copyApp("bench-app");
  const first = await startEngineProcess(dataDir, ports);
  await deploy(app, first);
  await first.child.stop();
  fs.rmSync(app, { recursive: true, force: true });
  await writeDocuments(dataDir, say);
  const readyMs: number[] = [];
  const rssMib: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const startMs = performance.now();
    const engine = await startEngineProcess(dataDir, ports, ["--isolation", "reuse"]);
    const http = openHttpLoad(engine.url, 1);
    await http.call("query", "rows:newest", { group: "g1", rows: 50 });
    readyMs.push(performance.now() - startMs);
    rssMib.push(rssOf(engine.child.pid) / MIB);
    http.close();
    await killEngine(engine);
  }
  say(
    `Restart with ${DOCUMENTS} documents: ${rounded(median(readyMs), 0)} ms, ${rounded(median(rssMib), 0)} MiB`,
  );
  return {
    restartDocuments: DOCUMENTS,
    restartToFirstAnswerMs: rounded(median(readyMs), 0),
    restartRssMib: rounded(median(rssMib), 0),
  };
}

/** Through the data layer itself: the same rows and index entries as by mutations, without their functions. */
async function writeDocuments(dataDir: string, say: (line: string) => void): Promise<void> {
  const database = await openDatabase({ dataDir, clock: systemClock, fsync: "full", log: say });
  for (let done = 0; done < DOCUMENTS; done += DOCUMENTS_PER_COMMIT) {
    const transaction = database.begin({ kind: "mutation", nowMs: Date.now(), unlimited: true });
    for (let n = done; n < done + DOCUMENTS_PER_COMMIT; n++) {
      const value = { group: `g${n % 100}`, n, text: TEXT };
      transaction.call("1.0/insert", JSON.stringify({ table: "rows", value }));
    }
    await database.commit(transaction);
    if (done % 250_000 === 0) say(`Wrote ${done} documents.`);
  }
  await database.close();
}

function rssOf(pid: number): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}
