import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../../local/env";
import { nodeArgs } from "../../local/process";
import { tempDir } from "../../tests/support/engine-process";
import { type LiveEngine, startLiveEngine } from "../../tests/support/live-engine";
import { runBackupCommand } from "./command";

const TIMEOUT_MS = 60_000;

let engine: LiveEngine;
let folder: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  folder = tempDir("backup");
  engine = await startLiveEngine();
  await engine.deploy("transfer-app");
  await engine.admin("/api/update_environment_variables", { changes: [{ name: "COLOUR", value: "green" }] });
}, TIMEOUT_MS);

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await engine.discard();
  fs.rmSync(folder, { recursive: true, force: true });
});

const insert = makeFunctionReference<"mutation", { table: string; documents: unknown[] }, string[]>(
  "data:insert",
);
const list = makeFunctionReference<"query", { table: string }, { name: string }[]>("data:list");
const upload = makeFunctionReference<"action", { text: string; type: string }, string>("data:upload");
const files = makeFunctionReference<"query", Record<string, never>, { _id: string; url: string }[]>(
  "data:files",
);
const attachLater = makeFunctionReference<"mutation", { file: string; delayMs: number }, string>(
  "data:attachLater",
);
const jobs = makeFunctionReference<"query", Record<string, never>, object[]>("data:jobs");
const variable = makeFunctionReference<"query", { name: string }, string | null>("data:variable");

const clientOf = ({ cloudUrl }: LiveEngine) => new ConvexHttpClient(cloudUrl, { logger: false });

function start(...args: string[]) {
  const child = spawn(process.execPath, nodeArgs("engine/main.ts", args), { cwd: ROOT });
  children.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      output += data;
    });
  }
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once("close", (code) => {
      children.delete(child);
      resolve({ code, output });
    });
  });
  return { child, ended };
}

/** The same command within this process, which takes no time to start. */
async function run(verb: "backup" | "restore", ...args: string[]): Promise<{ code: number; output: string }> {
  const lines: string[] = [];
  const add = (line: string) => lines.push(line);
  try {
    await runBackupCommand(verb, args, { print: add, say: add });
    return { code: 0, output: lines.join("\n") };
  } catch (error) {
    return { code: 1, output: error instanceof Error ? error.message : String(error) };
  }
}

let names = 0;
const newPath = (ending = "") => {
  names += 1;
  return path.join(folder, `${names}${ending}`);
};

const backupOnline = (file: string, ...more: string[]) =>
  run(
    "backup",
    file,
    "--data",
    engine.dataDir,
    "--url",
    engine.cloudUrl,
    "--admin-key",
    engine.adminKey,
    ...more,
  );

/** All that must survive. */
async function contents(target: LiveEngine) {
  const client = clientOf(target);
  const stored = await client.query(files, {});
  return {
    authors: await client.query(list, { table: "authors" }),
    attachments: await client.query(list, { table: "attachments" }),
    jobs: await client.query(jobs, {}),
    colour: await client.query(variable, { name: "COLOUR" }),
    files: await Promise.all(
      stored.map(async ({ url, ...file }) => ({
        ...file,
        path: new URL(url).pathname,
        text: await (await fetch(url)).text(),
      })),
    ),
  };
}

async function restored<Result>(
  file: string,
  body: (target: LiveEngine) => Promise<Result>,
): Promise<Result> {
  const dataDir = newPath();
  expect(await run("restore", file, "--data", dataDir)).toMatchObject({ code: 0 });
  const target = await startLiveEngine({ dataDir });
  try {
    return await body(target);
  } finally {
    await target.discard();
  }
}

const HOUR_MS = 60 * 60_000;

test(
  "an engine started on a restored backup equals the one that was backed up, jobs, files and variables included",
  async () => {
    const client = clientOf(engine);
    await client.mutation(insert, { table: "authors", documents: [{ name: "ann" }, { name: "bob" }] });
    const file = await client.action(upload, { text: "kept", type: "text/plain" });
    await client.mutation(attachLater, { file, delayMs: HOUR_MS });
    const target = newPath(".zip");
    const command = start("backup", target, "--url", engine.cloudUrl, "--admin-key", engine.adminKey);
    expect(await command.ended).toMatchObject({
      code: 0,
      output: expect.stringMatching(/1 stored file\(s\).*and checked it/),
    });
    await restored(target, async (copy) => {
      expect(await contents(copy)).toEqual(await contents(engine));
      // It goes on as an engine does.
      await clientOf(copy).mutation(insert, { table: "authors", documents: [{ name: "cy" }] });
      expect((await clientOf(copy).query(list, { table: "authors" })).length).toBe(3);
    });
  },
  TIMEOUT_MS,
);

test(
  "a backup under way shows one moment of what is written",
  async () => {
    const client = clientOf(engine);
    const target = newPath(".zip");
    let isDone = false;
    const done = backupOnline(target).finally(() => {
      isDone = true;
    });
    let pairs = 0;
    while (!isDone) {
      // Both rows of a pair come in one mutation: a backup must never have one of them.
      await client.mutation(insert, { table: "pairs", documents: [{ n: pairs }, { n: pairs }] });
      pairs += 1;
    }
    expect(await done).toMatchObject({ code: 0 });
    await restored(target, async (copy) => {
      const found = await clientOf(copy).query(list, { table: "pairs" });
      expect(found.length % 2).toBe(0);
      expect(found.length).toBeLessThanOrEqual(pairs * 2);
    });
  },
  TIMEOUT_MS,
);

test(
  "a data directory whose engine is stopped is backed up as well",
  async () => {
    const stopped = await startLiveEngine({ dataDir: newPath() });
    await stopped.deploy("transfer-app");
    await clientOf(stopped).mutation(insert, { table: "authors", documents: [{ name: "dora" }] });
    await clientOf(stopped).action(upload, { text: "stopped", type: "text/plain" });
    const before = await contents(stopped);
    await stopped.close();
    const target = newPath(".zip");
    expect(await run("backup", target, "--data", stopped.dataDir)).toMatchObject({ code: 0 });
    expect(await restored(target, contents)).toEqual(before);
  },
  TIMEOUT_MS,
);

test(
  "a restore goes into a new directory only",
  async () => {
    const target = newPath(".zip");
    await backupOnline(target);
    expect(await run("restore", target, "--data", engine.dataDir)).toMatchObject({
      code: 1,
      output: expect.stringContaining("is not empty: a backup is only restored into a new one"),
    });
    const empty = newPath();
    fs.mkdirSync(empty);
    expect(await run("restore", target, "--data", empty)).toMatchObject({ code: 0 });
    expect(fs.existsSync(path.join(empty, "engine.sqlite3"))).toBe(true);
  },
  TIMEOUT_MS,
);

test(
  "a damaged backup is refused, and nothing of it stays",
  async () => {
    const whole = newPath(".zip");
    await backupOnline(whole);
    const bytes = fs.readFileSync(whole);
    const turned = Buffer.from(bytes);
    turned.writeUInt8(turned.readUInt8(2_000) ^ 1, 2_000);
    for (const [content, message] of [
      [bytes.subarray(0, bytes.length - 100), /is not a whole backup of an engine/],
      [turned, /is (damaged|not a whole backup)/],
      [Buffer.from("hello"), /is not a whole backup of an engine/],
    ] as const) {
      const file = newPath(".zip");
      fs.writeFileSync(file, content);
      const dataDir = newPath();
      expect(await run("restore", file, "--data", dataDir)).toMatchObject({
        code: 1,
        output: expect.stringMatching(message),
      });
      expect([fs.existsSync(dataDir), fs.existsSync(`${dataDir}.restoring`)]).toEqual([false, false]);
    }
  },
  TIMEOUT_MS,
);

test(
  "what went wrong is told in a sentence, and no file is left or overwritten",
  async () => {
    const file = newPath(".zip");
    const told = (message: RegExp) => ({ code: 1, output: expect.stringMatching(message) });
    expect(await backupOnline(file, "--admin-key", "wrong")).toMatchObject(
      told(/refused: The provided admin key was invalid/),
    );
    expect(await run("backup", file, "--data", newPath())).toMatchObject(told(/There is no database in/));
    expect(await run("backup")).toMatchObject(told(/backup needs the name of one file[\s\S]*Usage/));
    expect(await run("backup", file, "--url", "http://127.0.0.1:9", "--admin-key", "k")).toMatchObject(
      told(/but it does not answer \(connect ECONNREFUSED/),
    );
    expect(fs.existsSync(file) || fs.existsSync(`${file}.partial`)).toBe(false);
    fs.writeFileSync(file, "precious");
    expect(await backupOnline(file)).toMatchObject(told(/exists already: a backup never overwrites/));
    expect(fs.readFileSync(file, "utf8")).toBe("precious");
  },
  TIMEOUT_MS,
);

/** Ends a child without warning once a path exists. */
async function killAt(file: string, { child, ended }: ReturnType<typeof start>): Promise<void> {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!fs.existsSync(file) && !isOver) await new Promise((resolve) => setTimeout(resolve, 1));
  child.kill("SIGKILL");
  await ended;
}

test(
  "a backup or a restore that is killed leaves nothing that looks like one, and can be repeated",
  async () => {
    const file = newPath(".zip");
    const online = ["--url", engine.cloudUrl, "--admin-key", engine.adminKey];
    await killAt(`${file}.partial`, start("backup", file, ...online));
    expect(fs.existsSync(file)).toBe(false);
    await expect.poll(() => backupOnline(file), { timeout: TIMEOUT_MS }).toMatchObject({ code: 0 });
    const dataDir = newPath();
    await killAt(`${dataDir}.restoring`, start("restore", file, "--data", dataDir));
    expect(fs.existsSync(dataDir)).toBe(false);
    expect(await run("restore", file, "--data", dataDir)).toMatchObject({ code: 0 });
    expect(fs.existsSync(`${dataDir}.restoring`)).toBe(false);
  },
  TIMEOUT_MS,
);
