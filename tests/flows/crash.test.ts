import fs from "node:fs";
import path from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference, type PaginationResult } from "convex/server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openSqlite } from "../../engine/storage/driver";
import {
  copyApp,
  deploy,
  freePorts,
  killEngine,
  type Ports,
  startEngineProcess,
  tempDir,
} from "../support/engine-process";

/** Enough that each stage of a commit, of a job and of a boot is hit many times over (engine law L4, L5). */
const KILLS = 50;
/** Mutations under way at once; more than the engine runs at once, so that its queue is hit as well. */
const IN_FLIGHT = 24;
/** A kill comes after a random number of answers up to this one, and a random pause after the last of them. */
const ANSWERS_MAX = 60;
const PAUSE_MS_MAX = 25;
/** Lanes share a balance two by two, so that transactions also meet each other. */
const LANES_PER_BALANCE = 2;

type Token = { token: string };
const work = makeFunctionReference<"mutation", Token & { lane: number }, string>("ledger:work");
const balances = makeFunctionReference<"query", Record<string, never>, { name: string; amount: number }[]>(
  "ledger:balances",
);
const unfinished = makeFunctionReference<"query", Record<string, never>, number>("ledger:unfinished");
const page = makeFunctionReference<
  "query",
  { table: string; paginationOpts: { numItems: number; cursor: string | null } },
  PaginationResult<Token>
>("ledger:page");

describe(`after ${KILLS} kills -9 at random moments under load`, () => {
  const dataDir = tempDir("crash");
  const acknowledged = new Set<string>();
  const sent = new Set<string>();
  const seen: Record<string, Map<string, number>> = {};
  let ports: Ports;
  let sum = Number.NaN;
  let transfers = Number.NaN;

  beforeAll(async () => {
    ports = await freePorts();
    const app = copyApp("ledger-app");
    const first = await startEngineProcess(dataDir, ports, ["--isolation", "reuse"]);
    await deploy(app, first);
    await first.child.stop();

    for (let kill = 0; kill < KILLS; kill++) {
      const engine = await startEngineProcess(dataDir, ports, ["--isolation", "reuse"]);
      const load = startLoad(engine.url, kill, 1 + Math.floor(Math.random() * ANSWERS_MAX));
      await load.answered;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * PAUSE_MS_MAX));
      await killEngine(engine);
      await load.stopped();
    }

    const engine = await startEngineProcess(dataDir, ports, ["--isolation", "reuse"]);
    const client = new ConvexHttpClient(engine.url);
    await vi.waitUntil(async () => (await client.query(unfinished, {})) === 0, {
      timeout: 60_000,
      interval: 100,
    });
    for (const table of ["entries", "mutationRuns", "actionStarts"]) seen[table] = await count(client, table);
    const rows = await client.query(balances, {});
    sum = rows.reduce((total, row) => total + row.amount, 0);
    transfers = rows.reduce((total, row) => total + Math.max(0, row.amount), 0);
    await engine.child.stop();
    fs.rmSync(app, { recursive: true, force: true });
  }, 600_000);

  afterAll(() => fs.rmSync(dataDir, { recursive: true, force: true }));

  function startLoad(url: string, round: number, answersWanted: number) {
    let stopped = false;
    let answers = 0;
    let answeredEnough = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answeredEnough = resolve;
    });
    const lane = async (number: number) => {
      const client = new ConvexHttpClient(url);
      for (let n = 0; !stopped; n++) {
        const token = `${round}-${number}-${n}`;
        sent.add(token);
        const args = { token, lane: Math.floor(number / LANES_PER_BALANCE) };
        // A call that fails was not acknowledged: it may or may not be there, but never twice.
        const answer = await client.mutation(work, args, { skipQueue: true }).catch(() => null);
        if (answer !== null) acknowledged.add(answer);
        answers++;
        if (answers >= answersWanted) answeredEnough();
      }
    };
    const lanes = Array.from({ length: IN_FLIGHT }, (_, number) => lane(number));
    return {
      answered,
      stopped: async () => {
        stopped = true;
        await Promise.all(lanes);
      },
    };
  }

  async function count(client: ConvexHttpClient, table: string): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (let cursor: string | null = null, done = false; !done; ) {
      const result: PaginationResult<Token> = await client.query(page, {
        table,
        paginationOpts: { numItems: 1000, cursor },
      });
      for (const { token } of result.page) counts.set(token, (counts.get(token) ?? 0) + 1);
      cursor = result.continueCursor;
      done = result.isDone;
    }
    return counts;
  }

  const repeated = (table: string) => [...(seen[table] ?? [])].filter(([, times]) => times !== 1);

  test("the load was real: hundreds of calls were acknowledged, and some were cut off", () => {
    expect(acknowledged.size).toBeGreaterThan(200);
    expect(sent.size).toBeGreaterThan(acknowledged.size);
  });

  test("every acknowledged mutation is there", () => {
    expect([...acknowledged].filter((token) => !seen["entries"]?.has(token))).toEqual([]);
  });

  test("none is there twice, and none that was never sent", () => {
    expect(repeated("entries")).toEqual([]);
    expect([...(seen["entries"]?.keys() ?? [])].filter((token) => !sent.has(token))).toEqual([]);
  });

  test("no transaction is torn: both halves of every transfer are there", () => {
    expect(sum).toBe(0);
    expect(transfers).toBe(seen["entries"]?.size);
  });

  test("each scheduled mutation ran exactly once", () => {
    expect(repeated("mutationRuns")).toEqual([]);
    expect(seen["mutationRuns"]?.size).toBe(seen["entries"]?.size);
  });

  test("each scheduled action started at most once", () => {
    expect(repeated("actionStarts")).toEqual([]);
    expect(seen["actionStarts"]?.size).toBeLessThanOrEqual(seen["entries"]?.size ?? 0);
  });

  test("the database file is whole", () => {
    const files = fs.readdirSync(dataDir).filter((file) => /\.(db|sqlite3?)$/.test(file));
    expect(files.length).toBe(1);
    const db = openSqlite(path.join(dataDir, files[0] ?? ""));
    expect(db.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    db.close();
  });
});
