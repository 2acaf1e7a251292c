import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { systemClock } from "../../engine/clock";
import { type Engine, startEngine } from "../../engine/engine";
import type { Call, EngineOptions } from "../../engine/types";
import {
  copyApp,
  deploy,
  type EngineProcess,
  freePorts,
  startEngineProcess,
  tempDir,
} from "../support/engine-process";
import { SyncClient } from "../support/sync-client";
import { openBareFanOut } from "./bare-fan-out";
import { openBareSqlite } from "./bare-sqlite";
import { openHttpLoad } from "./http-load";
import { fsyncP50Us, median, percentile, rounded, throughput, timedMs } from "./measure";
import { measureRestart } from "./restart";
import { openSubscribers } from "./subscribers";

const ROUNDS = 5;
const IN_FLIGHT = 64;
const MUTATIONS_PER_ROUND = 2_000;
/**
 * A backend runs for weeks: what is measured is the state that V8 has settled into, which takes it some ten thousand
 * calls. Fresh realms settle sooner, because hardly any of their code lives long enough.
 */
const WARM_UP_CALLS = 20_000;
const WARM_UP_CALLS_FRESH = 1_000;
const QUERY_ROWS = 50;
const QUERIES = 2_000;
const SUBSCRIBERS = 1_000;
const COMMITS = 20;
/** What a Transition for one short row weighs, so that both fan-outs send the same. */
const FAN_OUT_CHARS = 240;
/** A short chat message. */
const TEXT = "x".repeat(120);

type Say = (line: string) => void;

/**
 * What the engine costs over SQLite alone: writes per second beside the same writes without an engine, reads of an
 * index, and what a commit costs those who watch and those who do not.
 */
export async function benchEngine(say: Say): Promise<object> {
  const folder = tempDir("bench");
  const stack = await openStack(folder, say);
  try {
    const writes = await measureWrites(stack, say);
    const reads = await measureReads(stack, say);
    const subscriptions = await measureSubscriptions(stack, say);
    const restart = await measureRestart(folder, say);
    return {
      bench: "engine",
      ...writes,
      ...reads,
      ...subscriptions,
      ...restart,
      machine: {
        nproc: os.availableParallelism(),
        loadAverage: rounded(os.loadavg()[0] ?? 0),
        node: process.versions.node,
        sqlite: stack.bare.version,
        fsyncP50Us: rounded(fsyncP50Us(folder), 0),
      },
    };
  } finally {
    await stack.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

type Stack = {
  bare: ReturnType<typeof openBareSqlite>;
  /** In this process, with realms that are kept (production) and with new ones for each call (development). */
  reuse: Engine;
  fresh: Engine;
  /** In a process of its own, as users run it. */
  remote: EngineProcess;
  close(): Promise<void>;
};

/** Deploys once, and gives every engine a copy of that data directory. */
async function openStack(folder: string, say: Say): Promise<Stack> {
  say("Deploying the benchmark's functions ...");
  const app = copyApp("bench-app");
  const dirs = {
    remote: path.join(folder, "remote"),
    reuse: path.join(folder, "reuse"),
    fresh: path.join(folder, "fresh"),
  };
  const first = await startEngineProcess(dirs.remote, await freePorts());
  await deploy(app, first);
  await first.child.stop();
  fs.rmSync(app, { recursive: true, force: true });
  for (const copy of [dirs.reuse, dirs.fresh]) {
    fs.cpSync(dirs.remote, copy, { recursive: true });
  }
  const remote = await startEngineProcess(dirs.remote, await freePorts(), ["--isolation", "reuse"]);
  const reuse = await startEngine(options(dirs.reuse, "reuse"));
  const fresh = await startEngine(options(dirs.fresh, "fresh"));
  const bare = openBareSqlite(folder);
  return {
    bare,
    reuse,
    fresh,
    remote,
    async close() {
      bare.close();
      await Promise.all([reuse.close(), fresh.close(), remote.child.stop()]);
    },
  };
}

const options = (dataDir: string, isolation: "fresh" | "reuse"): EngineOptions => ({
  dataDir,
  host: "127.0.0.1",
  port: 0,
  sitePort: 0,
  adminKey: "bench",
  redactErrors: false,
  isolation,
  fsync: "full",
  clock: systemClock,
  log: (line) => process.stderr.write(`${line}\n`),
});

const call = (name: string, args: Call["args"]): Call => ({
  path: `rows:${name}`,
  args,
  identity: { kind: "none" },
  requestId: "bench",
});

async function insertInto(
  { functions }: Engine,
  row: { group: string; n: number; text: string },
): Promise<void> {
  const { outcome } = await functions.mutation(call("insert", row));
  if (!outcome.ok) throw new Error(outcome.failure.message);
}

async function measureWrites({ bare, reuse, fresh, remote }: Stack, say: Say) {
  const http = openHttpLoad(remote.url, IN_FLIGHT);
  const row = (n: number) => ({ group: `g${n % 100}`, n, text: TEXT });
  const subjects: [string, (n: number) => Promise<void>][] = [
    ["bare", (n) => bare.insert(row(n))],
    ["inProcess", (n) => insertInto(reuse, row(n))],
    ["inProcessFresh", (n) => insertInto(fresh, row(n))],
    ["http", (n) => http.call("mutation", "rows:insert", row(n))],
  ];
  const perSecond = new Map<string, number[]>(subjects.map(([name]) => [name, []]));
  for (const [name, insert] of subjects) {
    say(`Warming up: ${name}`);
    await throughput(name === "inProcessFresh" ? WARM_UP_CALLS_FRESH : WARM_UP_CALLS, IN_FLIGHT, insert);
  }
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [name, insert] of subjects) {
      perSecond.get(name)?.push(await throughput(MUTATIONS_PER_ROUND, IN_FLIGHT, insert));
    }
    const newest = subjects.map(([name]) => `${name} ${rounded(perSecond.get(name)?.at(-1) ?? 0, 0)}`);
    say(`Writes per second, round ${round}: ${newest.join(", ")}`);
  }
  http.close();
  const rates = (name: string) => perSecond.get(name) ?? [];
  const rate = (name: string) => rounded(median(rates(name)), 0);
  /** The median of what each round gave: a machine that slows down meanwhile slows both. */
  const ofBare = (name: string) =>
    rounded(median(rates(name).map((own, round) => own / (rates("bare")[round] ?? Number.NaN))));
  return {
    inFlight: IN_FLIGHT,
    bareInsertsPerSecond: rate("bare"),
    mutationsPerSecond: rate("inProcess"),
    mutationsPerSecondFreshRealms: rate("inProcessFresh"),
    mutationsPerSecondHttp: rate("http"),
    ofBare: ofBare("inProcess"),
    ofBareFreshRealms: ofBare("inProcessFresh"),
    ofBareHttp: ofBare("http"),
  };
}

async function measureReads({ reuse, remote }: Stack, say: Say) {
  const args = { group: "g1", rows: QUERY_ROWS };
  const local: number[] = [];
  for (let n = 0; n < QUERIES; n++) {
    local.push(
      await timedMs(async () => {
        const { outcome } = await reuse.functions.query(call("newest", args));
        if (!outcome.ok) throw new Error(outcome.failure.message);
      }),
    );
  }
  const http = openHttpLoad(remote.url, 1);
  const remoteMs: number[] = [];
  for (let n = 0; n < QUERIES / 4; n++) {
    remoteMs.push(await timedMs(() => http.call("query", "rows:newest", args)));
  }
  const pointMs: number[] = [];
  for (let n = 0; n < QUERIES; n++) {
    const point = { group: `g${n % 100}`, rows: 1 };
    pointMs.push(await timedMs(() => http.call("query", "rows:newest", point)));
  }
  http.close();
  say(`A query of one row over HTTP, one at a time: p50 ${rounded(median(pointMs))} ms`);
  say(
    `A query of ${QUERY_ROWS} rows: p50 ${rounded(median(local))} ms, over HTTP ${rounded(median(remoteMs))} ms`,
  );
  return {
    queryRows: QUERY_ROWS,
    queryP50Ms: rounded(median(local), 3),
    queryP99Ms: rounded(percentile(local, 0.99), 3),
    pointQueryHttpP50Ms: rounded(median(pointMs), 3),
    pointQueryHttpP99Ms: rounded(percentile(pointMs, 0.99), 3),
    queryHttpP50Ms: rounded(median(remoteMs), 3),
    queryHttpP99Ms: rounded(percentile(remoteMs, 0.99), 3),
  };
}

async function measureSubscriptions({ reuse, remote }: Stack, say: Say) {
  const subscribers = await openSubscribers(remote.url, SUBSCRIBERS, "watched");
  const http = openHttpLoad(remote.url, 1);
  const bare = await openBareFanOut(SUBSCRIBERS);
  const rounds: { own: number[]; bare: number[] }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const own: number[] = [];
    const limit: number[] = [];
    for (let n = 0; n < COMMITS; n++) {
      const text = `news-${round}-${n}-`;
      limit.push(await afterAnswer(bare.allHear(text), bare.say(`${text}${"x".repeat(FAN_OUT_CHARS)}`)));
      const insert = http.call("mutation", "rows:insert", { group: "watched", n: round * COMMITS + n, text });
      own.push(await afterAnswer(subscribers.allHear(text), insert));
      // A query rests for 50 ms after a run; this measures a change after a quiet moment, not the rest.
      await setTimeout(60);
    }
    rounds.push({ own, bare: limit });
  }
  await bare.close();
  const toLast = rounds.flatMap(({ own }) => own);
  const bareToLast = rounds.flatMap((round) => round.bare);
  const ratio = median(rounds.map((round) => percentile(round.own, 0.99) / percentile(round.bare, 0.99)));
  subscribers.close();
  http.close();
  const reruns = await rerunsPerUnrelatedCommit(reuse);
  say(
    `Commit to the last of ${SUBSCRIBERS} subscribers: p50 ${rounded(median(toLast))} ms, bare sockets ${rounded(median(bareToLast))} ms; p99 ${rounded(ratio)} of bare; ${reruns} needless reruns`,
  );
  return {
    subscribers: SUBSCRIBERS,
    commitToLastSubscriberP50Ms: rounded(median(toLast)),
    commitToLastSubscriberP99Ms: rounded(percentile(toLast, 0.99)),
    bareFanOutP50Ms: rounded(median(bareToLast)),
    bareFanOutP99Ms: rounded(percentile(bareToLast, 0.99)),
    fanOutP99OfBare: rounded(ratio),
    rerunsPerCommitUnrelated: reruns,
  };
}

/** From the answer to whoever asked until the last socket has heard; it may have heard even before the answer was read. */
async function afterAnswer(heard: Promise<number>, answered: Promise<void>): Promise<number> {
  await answered;
  const answeredMs = performance.now();
  return Math.max(0, (await heard) - answeredMs);
}

/** Runs that a commit causes when 1,000 subscriptions look at other ranges of the same index. */
async function rerunsPerUnrelatedCommit(engine: Engine): Promise<number> {
  const client = await SyncClient.open(engine.cloudUrl);
  client.subscribe(
    0,
    Array.from({ length: SUBSCRIBERS }, (_, n) => [n, "rows:newest", { group: `unrelated-${n}`, rows: 1 }]),
  );
  await client.transition();
  const before = engine.queryRuns();
  for (let n = 0; n < COMMITS; n++) {
    await insertInto(engine, { group: "elsewhere", n, text: TEXT });
  }
  // Its own mutation is answered after whatever the commits before it have set off.
  client.mutate(0, "rows:insert", { group: "elsewhere", n: COMMITS, text: TEXT });
  await client.next();
  await client.transition();
  await client.close();
  return (engine.queryRuns() - before) / (COMMITS + 1);
}
