import fs from "node:fs";
import path from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "../../engine/storage/driver";
import { encodeId } from "../../engine/values/id";
import { verifyDirectory } from "../../engine/verify";
import {
  copyApp,
  deploy,
  type EngineProcess,
  freePorts,
  killEngine,
  startEngineProcess,
  tempDir,
} from "../support/engine-process";
import { ImportClient, zipBytes } from "../support/transfer";

let dataDir: string;
let engine: EngineProcess;

beforeEach(async () => {
  dataDir = tempDir("import-crash");
  engine = await startEngineProcess(dataDir, await freePorts());
  const app = copyApp("transfer-app");
  await deploy(app, engine);
  fs.rmSync(app, { recursive: true, force: true });
});

afterEach(async () => {
  await killEngine(engine);
  fs.rmSync(dataDir, { recursive: true, force: true });
});

const insert = makeFunctionReference<"mutation", { table: string; documents: unknown[] }, string[]>(
  "data:insert",
);
const count = makeFunctionReference<"query", { table: string }, number>("data:count");
const upload = makeFunctionReference<"action", { text: string; type: string }, string>("data:upload");
const files = makeFunctionReference<"query", Record<string, never>, { _id: string; url: string }[]>(
  "data:files",
);

const client = () => new ConvexHttpClient(engine.url, { logger: false });
const imports = () => new ImportClient({ cloudUrl: engine.url, adminKey: engine.adminKey });

/** Asks for an export and waits for it. */
async function exportAll(): Promise<void> {
  await imports().post("export/request/zip?includeStorage=false", "");
  await expect
    .poll(
      async () => {
        const body = { path: "_system/cli/exports:getLatest", args: [{}], format: "convex_encoded_json" };
        return JSON.stringify(await imports().post("query", JSON.stringify(body)));
      },
      { timeout: 50_000, interval: 200 },
    )
    .toContain('"state":"completed"');
}

/** Most that the process has held in memory since it began (proc(5), VmHWM). */
function peakBytes(): number {
  const status = fs.readFileSync(`/proc/${engine.child.pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

const ROWS = 20_000;
/** 20,000 rows of about 6 KiB: more than the process may grow by. */
const big = () => {
  const text = "t".repeat(6_000);
  return Buffer.from(
    Array.from({ length: ROWS }, (_, n) => `${JSON.stringify({ value: { n, text } })}\n`).join(""),
  );
};

test.skipIf(!fs.existsSync("/proc/self/status"))(
  "a table of 20,000 rows is imported and exported in flat memory, while others are answered",
  async () => {
    const content = big();
    const quarter = content.subarray(0, content.indexOf(10, content.length / 4) + 1);
    await imports().run(quarter, { format: "jsonLines", table: "values" });
    await exportAll();
    const warm = peakBytes();
    const id = await imports().upload(content, { format: "jsonLines", table: "values", mode: "append" });
    await imports().waitFor(id, "waiting_for_confirmation");
    await imports().confirm(id);
    let answered = 0;
    while ((await imports().state(id)).state === "in_progress") {
      await client().mutation(insert, { table: "authors", documents: [{ name: `during ${answered}` }] });
      answered += 1;
    }
    expect(await imports().state(id)).toMatchObject({ state: "completed" });
    expect(answered).toBeGreaterThan(5);
    await exportAll();
    // Caches are filled by the first quarter; whoever keeps rows needs at least as much again as there are bytes.
    expect(peakBytes() - warm).toBeLessThan(content.length);
  },
  120_000,
);

test("an import that is killed leaves the data of before, no rows and no files besides, and can be repeated", async () => {
  await client().mutation(insert, { table: "authors", documents: [{ name: "before" }] });
  await client().action(upload, { text: "kept", type: "text/plain" });
  const [kept] = await client().query(files, {});
  const fileId = (n: number) =>
    encodeId(
      1,
      Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? n : 7)),
    );
  const zip = await zipBytes([
    ["authors/documents.jsonl", Array.from({ length: 8_000 }, (_, n) => `{"name":"new ${n}"}\n`).join("")],
    ["_storage/documents.jsonl", ""],
    ...Array.from({ length: 60 }, (_, n) => [`_storage/${fileId(n)}`, `file ${n}`] as const),
  ]);
  const begin = async () => {
    const id = await imports().upload(zip, { format: "zip", mode: "replace" });
    await imports().waitFor(id, "waiting_for_confirmation");
    await imports().confirm(id);
    return id;
  };
  const ports = { port: Number(new URL(engine.url).port), sitePort: Number(new URL(engine.siteUrl).port) };
  // Early among the rows, late among them, and among the files.
  for (const delayMs of [5, 150, 400]) {
    const id = await begin();
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    const wasRunning = (await imports().state(id)).state === "in_progress";
    await killEngine(engine);
    const verdict = await verifyDirectory(dataDir);
    expect(verdict.problems).toEqual([]);
    engine = await startEngineProcess(dataDir, ports);
    const { state } = await imports().state(id);
    if (!wasRunning || state === "completed") break; // It was faster: then all of it is there, see below.
    expect(state).toBe("failed");
    expect(await client().query(count, { table: "authors" })).toBe(1);
    expect((await client().query(files, {})).map((file) => file._id)).toEqual([kept?._id]);
    expect(blobCount()).toBe(1);
  }
  if ((await client().query(count, { table: "authors" })) === 1) {
    await imports().waitFor(await begin(), "completed");
  }
  expect(await client().query(count, { table: "authors" })).toBe(8_000);
  expect((await client().query(files, {})).length).toBe(60);
  await expect.poll(blobCount).toBe(60);
  await expect.poll(stoppedRows, { timeout: 20_000 }).toBe(0);

  /** Stops the engine, counts rows that no table has, and starts it again. */
  async function stoppedRows(): Promise<number> {
    await killEngine(engine);
    const { documents } = await verifyDirectory(dataDir);
    const sqlite = openSqlite(path.join(dataDir, "engine.sqlite3"));
    const all = Number(sqlite.prepare("SELECT count(*) AS n FROM docs").get()?.["n"]);
    sqlite.close();
    engine = await startEngineProcess(dataDir, ports);
    return all - documents;
  }
}, 120_000);

const blobCount = () =>
  fs.readdirSync(path.join(dataDir, "files"), { withFileTypes: true }).filter((entry) => entry.isFile())
    .length;
