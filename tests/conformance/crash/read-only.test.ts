import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterEach, expect, test } from "vitest";
import { insert, openTestDatabase } from "../../../engine/transaction/test-database";
import { ROOT } from "../../../local/env";
import { nodeArgs } from "../../../local/process";
import { ADMIN_KEY, copyApp, deploy, freePorts, tempDir } from "../../support/engine-process";
import { startFaultyEngine } from "../../support/faulty-engine-process";
import { inOwnMounts, mayMount } from "../../support/mounts";

/** Folders that the engine may not write to: the whole data directory at the start, and files while it runs. */

type Schedule = { token: string; schedule: null };
const write = makeFunctionReference<"mutation", Schedule, string>("work:write");
const uploadUrl = makeFunctionReference<"mutation", Record<string, never>, string>("files:uploadUrl");

const isRoot = process.getuid?.() === 0;
/** Root may write where the mode forbids it: it needs another user, or a mount that is read-only. */
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const folders: string[] = [];
const newDir = (name: string) => {
  const dir = tempDir(name);
  folders.push(dir);
  return dir;
};
afterEach(() => {
  for (const folder of folders.splice(0)) {
    fs.chmodSync(folder, 0o755);
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

async function fill(dataDir: string): Promise<void> {
  const test = await openTestDatabase({ dataDir });
  await test.mutate((transaction) => insert(transaction, "notes", { text: "first" }));
  await test.db.close();
}

/** The engine's command on a directory that it cannot write to. */
async function startReadOnly(dataDir: string, through: string[]) {
  const { port, sitePort } = await freePorts();
  const args = nodeArgs(path.join(ROOT, "engine/main.ts"), [
    ...["--port", String(port), "--site-port", String(sitePort)],
    ...["--data", dataDir, "--admin-key", ADMIN_KEY],
  ]);
  const [command = "", ...rest] = [...through, process.execPath, ...args];
  return spawnSync(command, rest, { cwd: ROOT, encoding: "utf8", timeout: 30_000 });
}

const contents = (dir: string) =>
  fs
    .readdirSync(dir)
    .map((name) => [name, fs.statSync(path.join(dir, name)).mtimeMs, fs.statSync(path.join(dir, name)).size]);

const WAYS_TO_START = [
  ...(mayMount()
    ? [
        {
          name: "mounted read-only",
          through: (dir: string) =>
            inOwnMounts(`mount --bind "${dir}" "${dir}" && mount -o remount,bind,ro "${dir}"`),
        },
      ]
    : []),
  { name: "of another user", through: () => (isRoot ? NOBODY : []) },
];

test.each(WAYS_TO_START)(
  "a directory $name ends the start with one sentence and stays as it is",
  async (way) => {
    for (const isNew of [false, true]) {
      const dataDir = newDir("read-only");
      if (!isNew) await fill(dataDir);
      fs.chmodSync(dataDir, 0o555);
      const before = contents(dataDir);
      const { status, stderr } = await startReadOnly(dataDir, way.through(dataDir));
      expect(stderr.trim().split("\n")).toEqual([
        expect.stringContaining(`The data directory ${dataDir} cannot be used`),
      ]);
      expect(status).toBe(1);
      expect(contents(dataDir)).toEqual(before);
    }
  },
);

test("files that cannot be written while it runs are refused with 503, and only those", async () => {
  const dataDir = newDir("read-only-files");
  const files = path.join(dataDir, "files");
  const mounts = mayMount();
  if (!mounts && isRoot) fs.chmodSync(dataDir, 0o777);
  const app = copyApp("crash-app");
  folders.push(app);
  const engine = await startFaultyEngine({
    dataDir,
    ports: await freePorts(),
    through: mounts ? inOwnMounts("true") : isRoot ? NOBODY : [],
  });
  const inside = (command: string) =>
    mounts
      ? execFileSync("nsenter", ["--mount", "--target", String(engine.pid), "sh", "-c", command])
      : execFileSync("sh", ["-c", command]);
  try {
    await deploy(app, engine);
    const client = new ConvexHttpClient(engine.url);
    const upload = async () =>
      (await fetch(await client.mutation(uploadUrl, {}), { method: "POST", body: "some bytes" })).status;
    expect(await upload()).toBe(200);
    const before = fs.readdirSync(files).length;
    inside(
      mounts
        ? `mount --bind "${files}" "${files}" && mount -o remount,bind,ro "${files}"`
        : `chmod 0555 "${files}" "${files}/incoming"`,
    );
    expect(await upload()).toBe(503);
    expect(await client.mutation(write, { token: "meanwhile", schedule: null })).toBe("meanwhile");
    expect([fs.readdirSync(files).length, fs.readdirSync(path.join(files, "incoming"))]).toEqual([
      before,
      [],
    ]);
    inside(mounts ? `umount "${files}"` : `chmod 0755 "${files}" "${files}/incoming"`);
    expect(await upload()).toBe(200);
  } finally {
    await engine.stop();
  }
});
