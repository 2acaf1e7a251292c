import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { verifyDirectory } from "../../../engine/verify";
import { copyApp, deploy, freePorts, tempDir } from "../../support/engine-process";
import { type FaultyEngine, startFaultyEngine } from "../../support/faulty-engine-process";
import { inOwnMounts, mayMount } from "../../support/mounts";

/**
 * A disk without room, in three real ways. While it is full the engine refuses writes with an error that says "again,
 * later", and goes on reading; when there is room again it goes on writing, without a restart, and nothing that it
 * acknowledged is missing.
 */
const load = makeFunctionReference<"mutation", { token: string; kib: number }, string>("work:load");
const loads = makeFunctionReference<"query", Record<string, never>, string[]>("work:loads");
const unload = makeFunctionReference<"mutation", { token: string }>("work:unload");
const uploadUrl = makeFunctionReference<"mutation", Record<string, never>, string>("files:uploadUrl");

const ROWS_KIB = [500, 30, 2, 0];
/** More rows of any size than the disks below hold. */
const ROWS_MAX = 300;
const MIB = 1024 * 1024;
/** What is left is less than a query may read; what comes back is enough to move the log into the file. */
const TMPFS_BALLAST_BYTES = 28 * MIB;

type Way = {
  name: string;
  through: (dataDir: string) => string[];
  pagesMax?: number;
  /** Gives room back, from outside of the engine where there is an outside. */
  makeRoom(engine: FaultyEngine, tokens: readonly string[], dataDir: string): Promise<void>;
  /** Whether uploads hit the same wall as the database. */
  boundsFiles: boolean;
};

const databaseBound: Way = {
  name: "the database has reached its largest number of pages",
  through: () => [],
  pagesMax: 6 * 256,
  boundsFiles: false,
  makeRoom: async (engine, tokens) => {
    for (const token of tokens.slice(0, 3))
      await new ConvexHttpClient(engine.url).mutation(unload, { token });
  },
};
const fileBound: Way = {
  name: "no file may grow beyond a limit (ulimit -f)",
  // In units of 512 bytes. The soft limit alone, so that it can be lifted again.
  through: () => ["sh", "-c", `ulimit -S -f ${(8 * MIB) / 512} && exec "$@"`, "sh"],
  boundsFiles: true,
  makeRoom: async (engine) => {
    execFileSync("prlimit", ["--pid", String(engine.pid), "--fsize=unlimited:unlimited"]);
  },
};
const tmpfs: Way = {
  name: "the file system has no room left (tmpfs of 40 MiB)",
  // Mounted in a namespace of the engine's own, which takes it along when the process ends.
  through: (dataDir) => inOwnMounts(`mount -t tmpfs -o size=40m,mode=777 tmpfs "${dataDir}"`),
  boundsFiles: true,
  makeRoom: async (engine, _tokens, dataDir) => fs.rmSync(path.join(seenBy(engine, dataDir), "ballast")),
};
/** For machines that forbid mounts: the same wall, met by both files of the database and by uploads. */
const tightFileBound: Way = {
  ...fileBound,
  name: "no file may grow beyond a tight limit (mounting is forbidden here)",
  through: () => ["sh", "-c", `ulimit -S -f ${(5 * MIB) / 512} && exec "$@"`, "sh"],
};

const WAYS = [databaseBound, fileBound, mayMount() ? tmpfs : tightFileBound];

/** The path of a folder as the engine's own mounts show it. */
function seenBy(engine: FaultyEngine, folder: string): string {
  return path.join(`/proc/${engine.pid}/root`, folder);
}

describe.each(WAYS)("while $name", (way) => {
  let app: string;
  let dataDir: string;
  let engine: FaultyEngine;
  let client: ConvexHttpClient;
  let watching: ConvexClient;
  const shown: number[] = [];
  const acknowledged: string[] = [];

  beforeAll(async () => {
    app = copyApp("crash-app");
    dataDir = tempDir("full");
    engine = await startFaultyEngine({
      dataDir,
      ports: await freePorts(),
      through: way.through(dataDir),
      ...(way.pagesMax !== undefined && { pagesMax: way.pagesMax }),
    });
    await deploy(app, engine);
    client = new ConvexHttpClient(engine.url);
    watching = newClient();
    watching.onUpdate(loads, {}, (tokens) => void shown.push(tokens.length));
    await vi.waitUntil(() => shown.length > 0, { timeout: 10_000 });
    if (way === tmpfs) {
      // Something else takes most of the disk; the engine will take the rest.
      fs.writeFileSync(path.join(seenBy(engine, dataDir), "ballast"), Buffer.alloc(TMPFS_BALLAST_BYTES));
    }
  });
  afterAll(async () => {
    await watching.close();
    await engine.stop();
    for (const folder of [app, dataDir]) fs.rmSync(folder, { recursive: true, force: true });
  });

  const newClient = () => {
    // The same interface as the browser's, typed apart.
    const webSocketConstructor = WebSocket as unknown as typeof globalThis.WebSocket;
    return new ConvexClient(engine.url, { webSocketConstructor, logger: false });
  };
  const post = (token: string, kib = 0) =>
    fetch(`${engine.url}/api/mutation`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        path: "work:load",
        format: "convex_encoded_json",
        args: [{ token, kib }],
      }),
    });
  const upload = async (bytes: number) =>
    fetch(await client.mutation(uploadUrl, {}), { method: "POST", body: Buffer.alloc(bytes, 1) });
  const storedNames = () => {
    const folder = path.join(seenBy(engine, dataDir), "files");
    return [...fs.readdirSync(folder), ...fs.readdirSync(path.join(folder, "incoming"))];
  };

  test("writes are refused with 503, and reads and subscriptions go on", async () => {
    let refusal: Response | null = null;
    for (const kib of ROWS_KIB) {
      // Smaller and smaller ones, until nothing is left.
      refusal = null;
      for (let n = 0; refusal === null && n < ROWS_MAX; n++) {
        const token = `row of ${kib}, ${n}`;
        const response = await post(token, kib);
        if (response.status === 200) acknowledged.push(token);
        else refusal = response;
      }
    }
    expect(acknowledged.length).toBeGreaterThan(2);
    expect(refusal?.status).toBe(503);
    expect(await refusal?.json()).toMatchObject({ code: "StorageUnavailable" });
    // Again and again, and not only once.
    for (let n = 0; n < 3; n++) expect((await post(`refused ${n}`)).status).toBe(503);
    expect((await client.query(loads, {})).sort()).toEqual([...acknowledged].sort());
    const late = newClient();
    const seen = new Promise<number>((resolve) => {
      late.onUpdate(loads, {}, (tokens) => resolve(tokens.length));
    });
    expect(await seen).toBe(acknowledged.length);
    await late.close();
    await vi.waitUntil(() => shown.at(-1) === acknowledged.length, { timeout: 10_000 });
  });

  test("an upload is refused with 503 and leaves no bytes behind", async () => {
    const before = storedNames();
    const response = await upload(way.boundsFiles ? 20 * MIB : MIB);
    expect(response.status).toBe(503);
    expect(storedNames()).toEqual(before);
  });

  test("with room again it takes writes without a restart, and all that it acknowledged is there", async () => {
    // Sent over the socket while it is full: the client tries again by itself, and it is applied once.
    const patient = newClient();
    const waiting = patient.mutation(load, { token: "patient", kib: 0 });
    await vi.waitUntil(() => patient.connectionState().connectionRetries > 0, { timeout: 10_000 });
    await way.makeRoom(engine, acknowledged, dataDir);
    await vi.waitUntil(async () => (await post("after")).status === 200, { timeout: 20_000, interval: 200 });
    expect(await waiting).toBe("patient");
    await patient.close();
    expect((await upload(10_000)).status).toBe(200);

    const there = await client.query(loads, {});
    const removed = way === databaseBound ? acknowledged.slice(0, 3) : [];
    const wanted = acknowledged.filter((token) => !removed.includes(token));
    expect(wanted.filter((token) => !there.includes(token))).toEqual([]);
    expect(there.filter((token) => token === "patient")).toEqual(["patient"]);
    expect(there.filter((token) => token.startsWith("refused"))).toEqual([]);
    await vi.waitUntil(() => shown.at(-1) === there.length, { timeout: 20_000 });

    const copy = tempDir("full-copy");
    fs.cpSync(seenBy(engine, dataDir), copy, { recursive: true });
    fs.rmSync(path.join(copy, "engine.lock"), { force: true });
    expect(await verifyDirectory(copy)).toMatchObject({ problems: [], orphanBlobs: 0 });
    fs.rmSync(copy, { recursive: true, force: true });
  });
});
