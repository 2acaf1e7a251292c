import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { ROOT } from "../local/env";
import { freePort } from "../local/ports";
import { nodeArgs } from "../local/process";
import { tempDir } from "../tests/support/engine-process";

type Ended = { code: number | null; signal: string | null; stdout: string; stderr: string };

const children: ChildProcess[] = [];
const folders: string[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
});

const newFolder = () => {
  const folder = tempDir("main");
  folders.push(folder);
  return folder;
};

/** The command as `npm run engine` starts it. */
function run(args: string[]) {
  const child = spawn(process.execPath, nodeArgs("engine/main.ts", args), { cwd: ROOT });
  children.push(child);
  let stdout = "";
  let stderr = "";
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  child.stderr.on("data", (data) => {
    stderr += data;
  });
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (data) => {
      stdout += data;
      const url = /^ready (\S+)$/m.exec(stdout)?.[1];
      if (url !== undefined) resolve(url);
    });
    void ended.then(({ stderr: why }) => reject(new Error(why)));
  });
  ready.catch(() => undefined); // Tests that expect a failure look at `ended`.
  return { child, ready, ended };
}

const flags = async (dataDir: string) => [
  ...["--port", String(await freePort()), "--site-port", String(await freePort())],
  ...["--data", dataDir, "--admin-key", "key"],
];

test("says when it serves and ends cleanly on SIGTERM", async () => {
  const dataDir = newFolder();
  const { child, ready, ended } = run(await flags(dataDir));
  expect((await fetch(`${await ready}/version`)).status).toBe(200);
  child.kill("SIGTERM");
  expect(await ended).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("Stop it with Ctrl+C"),
    stderr: "",
  });
  const again = run(await flags(dataDir));
  await again.ready;
  again.child.kill("SIGINT");
  expect(await again.ended).toMatchObject({ code: 0 });
}, 60_000);

test("makes an admin key at the first start and keeps it for its owner alone", async () => {
  const dataDir = newFolder();
  const start = async () => {
    const { child, ready, ended } = run((await flags(dataDir)).slice(0, -2));
    const url = await ready;
    const key = fs.readFileSync(path.join(dataDir, "admin-key"), "utf8").trim();
    const response = await fetch(`${url}/api/v1/get_canonical_urls`, {
      headers: { authorization: `Convex ${key}` },
    });
    child.kill("SIGTERM");
    await ended;
    return { key, status: response.status };
  };
  const first = await start();
  expect(first.status).toBe(200);
  expect(await start()).toEqual(first);
  expect(fs.statSync(path.join(dataDir, "admin-key")).mode & 0o077).toBe(0);
}, 60_000);

test("a taken port ends it with one sentence that names the port", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const address = taken.address();
  const port = typeof address === "object" ? String(address?.port) : "";
  const [, , ...rest] = await flags(newFolder());
  const { ended } = run(["--port", port, ...rest]);
  const { code, stderr } = await ended;
  taken.close();
  expect(code).toBe(1);
  expect(stderr.trim().split("\n")).toEqual([expect.stringContaining(`port ${port} is in use`)]);
}, 30_000);

test("a second process on the same directory ends with one sentence, and the first one lives on", async () => {
  const dataDir = newFolder();
  const first = run(await flags(dataDir));
  const url = await first.ready;
  const { code, stderr } = await run(await flags(dataDir)).ended;
  expect(code).toBe(1);
  expect(stderr.trim().split("\n")).toEqual([expect.stringContaining(dataDir)]);
  expect((await fetch(`${url}/version`)).status).toBe(200);
}, 60_000);

test("a damaged database ends it with one sentence and stays as it is", async () => {
  const dataDir = newFolder();
  const file = path.join(dataDir, "engine.sqlite3");
  const garbage = Buffer.alloc(8192, "not a database ");
  fs.writeFileSync(file, garbage);
  const { code, stderr } = await run(await flags(dataDir)).ended;
  expect(code).toBe(1);
  expect(stderr.trim().split("\n")).toEqual([expect.stringContaining(file)]);
  expect(fs.readFileSync(file)).toEqual(garbage);
}, 30_000);

test("an unknown flag ends it with a sentence and the usage", async () => {
  const { code, stderr, stdout } = await run(["--prot", "1"]).ended;
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/--prot[\s\S]*Usage: /);
}, 30_000);
