import fs from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tempDir } from "../../tests/support/engine-process";
import { type JumpingClock, jumpingClock } from "../../tests/support/jumping-clock";
import { openDatabase } from "../transaction/database";
import type { Database, Identity, JsonValue, QueryRun } from "../types";
import {
  createSharedQueries,
  identityKey,
  type SharedQueries,
  type SharedResult,
  type Subscription,
  targetKey,
} from "./shared-queries";

const ANN: Identity = { kind: "user", attributes: { subject: "ann" }, expiresAtMs: 1 };
const BO: Identity = { kind: "user", attributes: { subject: "bo" }, expiresAtMs: 2 };

let dataDir: string;
let clock: JumpingClock;
let database: Database;
let queries: SharedQueries;
/** What the next runs do besides reading; a test changes it. */
let behaviour: { usedIdentity: boolean; usedClock: boolean; before: () => Promise<void> };

/** A query that reads the rows of `_environment` whose name is its argument. */
async function readRows(identity: Identity, args: JsonValue, ts: bigint): Promise<QueryRun> {
  const transaction = database.begin({ kind: "query", nowMs: clock.nowMs(), ts });
  const rows = transaction.system.list("_environment", "by_name", { equals: [args], limit: 10 });
  const { usedIdentity, usedClock, before } = behaviour;
  await before();
  const who = usedIdentity && identity.kind === "user" ? identity.attributes["subject"] : null;
  return {
    outcome: { ok: true, value: JSON.stringify([rows.length, who]) },
    logLines: [],
    ts: transaction.beginTs,
    reads: transaction.reads,
    journal: null,
    usedIdentity,
    usedClock,
  };
}

beforeEach(async () => {
  dataDir = tempDir("shared");
  clock = jumpingClock();
  database = await openDatabase({ dataDir, clock, fsync: "off", log: () => undefined });
  behaviour = { usedIdentity: false, usedClock: false, before: () => Promise.resolve() };
  queries = createSharedQueries({
    database,
    run: ({ identity, args }, { ts }) => readRows(identity, args, ts),
    requestId: () => "test",
    redactErrors: false,
  });
});

afterEach(async () => {
  await database.close();
  fs.rmSync(dataDir, { recursive: true, force: true });
});

const TARGET = { path: "rows:list", component: "", args: "watched" };

const subscription = (identity: Identity = ANN, onStale = () => {}): Subscription => ({
  target: TARGET,
  targetKey: targetKey(TARGET),
  journal: null,
  identity,
  identityKey: identityKey(identity),
  onStale,
});

/** The result that holds now, after the rest where the query has to take one: what a query set does. */
async function acquire(wanted: Subscription = subscription()): Promise<SharedResult> {
  for (;;) {
    if (queries.isResting(wanted)) {
      await queries.rested();
    }
    const result = await queries.acquire(wanted, database.latestTs);
    if (result !== null) {
      return result;
    }
  }
}

async function insert(name = "watched"): Promise<bigint> {
  const transaction = database.begin({ kind: "mutation", nowMs: clock.nowMs() });
  transaction.system.insert("_environment", { name });
  return (await database.commit(transaction)).ts;
}

const becomesStale = (identity?: Identity) => {
  let hear = () => {};
  const stale = new Promise<void>((resolve) => {
    hear = resolve;
  });
  return { stale, wanted: subscription(identity, () => hear()) };
};

test("equal subscriptions share one run, in flight and afterwards", async () => {
  const results = await Promise.all([1, 2, 3].map(() => acquire()));
  results.push(await acquire(subscription()));
  expect(new Set(results).size).toBe(1);
  expect(queries.runs).toBe(1);
});

test("a commit outside of what was read changes nothing; one inside tells every subscriber, once", async () => {
  const [first, second] = [becomesStale(), becomesStale()];
  const result = await acquire(first.wanted);
  await acquire(second.wanted);
  await insert("elsewhere");
  expect(result.staleTs).toBeNull();
  const ts = await insert();
  await Promise.all([first.stale, second.stale]);
  expect(result.staleTs).toBe(ts);
  const again = await Promise.all([acquire(subscription()), acquire(subscription())]);
  expect(again.map(({ text }) => text)).toEqual([again[0]?.text, again[0]?.text]);
  expect(queries.runs).toBe(2);
});

test("a commit while the query runs makes its result stale from that commit on", async () => {
  let ts = 0n;
  behaviour.before = async () => {
    ts = await insert();
  };
  const { stale, wanted } = becomesStale();
  const result = await acquire(wanted);
  await stale;
  expect([result.staleTs, result.ts < ts]).toEqual([ts, true]);
});

test("a result that did not ask who is calling is for everybody, also after a commit", async () => {
  await acquire(subscription(ANN));
  await acquire(subscription(BO));
  expect(queries.runs).toBe(1);
  await insert();
  await Promise.all([acquire(subscription(ANN)), acquire(subscription(BO))]);
  expect(queries.runs).toBe(2);
});

test("a function that begins to ask who is calling gives nobody another's result", async () => {
  await acquire(subscription(ANN));
  await insert();
  behaviour.usedIdentity = true;
  const [ann, bo] = await Promise.all([acquire(subscription(ANN)), acquire(subscription(BO))]);
  expect([ann.text, bo.text]).toEqual([expect.stringContaining("ann"), expect.stringContaining("bo")]);
});

test("an administrator and a user never share a run", async () => {
  await acquire(subscription(ANN));
  await acquire(subscription({ kind: "admin", actingAs: null }));
  expect(queries.runs).toBe(2);
});

test("what nobody wants any more is forgotten", async () => {
  let heard = false;
  const onStale = () => {
    heard = true;
  };
  const result = await acquire(subscription(ANN, onStale));
  queries.release(result, onStale);
  await insert();
  expect([heard, result.staleTs]).toEqual([false, null]);
  await acquire(subscription());
  expect(queries.runs).toBe(2);
});

test("a result that read the clock is not given to a new subscriber after 17 seconds", async () => {
  behaviour.usedClock = true;
  await acquire(subscription());
  clock.jump(16_000);
  await acquire(subscription());
  expect(queries.runs).toBe(1);
  clock.jump(2_000);
  await acquire(subscription());
  expect(queries.runs).toBe(2);
});

test("new code makes every result void, also of a run in flight", async () => {
  const { stale, wanted } = becomesStale();
  const held = await acquire(wanted);
  queries.invalidateAll();
  await stale;
  expect(held.staleTs).toBe(0n);

  behaviour.before = async () => queries.invalidateAll();
  expect(await queries.acquire(subscription(), database.latestTs)).toBeNull();
});

test("a run that fails is not held against the next subscriber", async () => {
  behaviour.before = () => Promise.reject(new Error("no room"));
  await expect(acquire(subscription())).rejects.toThrow("no room");
  behaviour.before = () => Promise.resolve();
  await expect(acquire(subscription())).resolves.toMatchObject({ staleTs: null });
});

describe("a query that ran a moment ago", () => {
  test("rests before it runs again, and all who wait get one run", async () => {
    const wanted = subscription();
    const first = await acquire(wanted);
    expect(queries.isResting(wanted)).toBe(false);
    await insert();
    expect([first.staleTs === null, queries.isResting(wanted)]).toEqual([false, true]);
    expect(await queries.acquire(wanted, database.latestTs)).toBeNull();
    const waiting = Promise.all([acquire(wanted), acquire(subscription(BO)), acquire()]);
    clock.jump(50);
    await waiting;
    expect(queries.runs).toBe(2);
  });

  test("is had at the moment of that run for as long as nothing touches it", async () => {
    const result = await acquire();
    await insert("elsewhere");
    expect(await queries.acquire(subscription(), database.latestTs)).toBe(result);
    expect(queries.isResting(subscription())).toBe(false);
  });

  test("cannot be had at a moment before that run", async () => {
    const before = database.latestTs;
    await insert();
    await acquire();
    expect(await queries.acquire(subscription(), before)).toBeNull();
  });
});

test("a state that is no longer kept is not an error: a newer one is asked for", async () => {
  const old = database.latestTs;
  await insert();
  clock.jump(61_000);
  await insert();
  await insert();
  expect(await queries.acquire(subscription(), old)).toBeNull();
  clock.jump(50);
  expect(await acquire()).toMatchObject({ ts: database.latestTs });
});
