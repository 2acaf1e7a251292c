import { randomUUID } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import * as z from "zod";
import { systemClock } from "../../engine/clock";
import { startEngine } from "../../engine/engine";
import { ROOT } from "../../local/env";
import { nodeArgs, startChild } from "../../local/process";
import { ADMIN_KEY, copyApp, deploy, freePorts, tempDir } from "../support/engine-process";

/** Engine law L5: no answer leaves before the fsync of its commit. Shown once from within and once by the kernel. */

const MUTATIONS = 300;
const work = makeFunctionReference<"mutation", { token: string; lane: number }, string>("ledger:work");
const app = copyApp("ledger-app");
afterAll(() => fs.rmSync(app, { recursive: true, force: true }));

const answerSchema = z.object({
  type: z.literal("MutationResponse"),
  success: z.literal(true),
  ts: z.string(),
});
const decodeTs = (text: string): bigint => Buffer.from(text, "base64").readBigUInt64LE();

test("no answer on the socket carries a timestamp whose commit has not been synced", async () => {
  const dataDir = tempDir("fsync");
  let syncedTs = 0n;
  const engine = await startEngine({
    dataDir,
    host: "127.0.0.1",
    port: 0,
    sitePort: 0,
    adminKey: ADMIN_KEY,
    redactErrors: false,
    isolation: "reuse",
    fsync: "full",
    clock: systemClock,
    log: () => undefined,
    faults: {
      at: (point, ts) => {
        if (point === "after_commit_before_publish" && ts !== null) syncedTs = ts;
      },
    },
  });
  try {
    await convexDeploy(engine.cloudUrl);
    const early: bigint[] = [];
    const sockets = await Promise.all(Array.from({ length: 8 }, () => connect(engine.cloudUrl)));
    await Promise.all(
      sockets.map(async (socket, lane) => {
        for (let requestId = 0; requestId < MUTATIONS / sockets.length; requestId++) {
          const args = [{ token: `${lane}-${requestId}`, lane }];
          socket.send(JSON.stringify({ type: "Mutation", requestId, udfPath: "ledger:work", args }));
          const ts = decodeTs((await nextAnswer(socket)).ts);
          if (ts > syncedTs) early.push(ts);
        }
        socket.close();
      }),
    );
    expect(early).toEqual([]);
    expect(syncedTs).toBeGreaterThan(0n);
  } finally {
    await engine.close();
    fs.rmSync(dataDir, { recursive: true, force: true });
  }
});

const convexDeploy = (url: string) => deploy(app, { url, adminKey: ADMIN_KEY });

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/api/1.48.0/sync`);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const hello = {
    type: "Connect",
    sessionId: randomUUID(),
    connectionCount: 0,
    lastCloseReason: null,
    clientTs: 0,
  };
  socket.send(JSON.stringify(hello));
  return socket;
}

function nextAnswer(socket: WebSocket): Promise<z.infer<typeof answerSchema>> {
  return new Promise((resolve, reject) => {
    const listen = (data: Buffer) => {
      const message: unknown = JSON.parse(data.toString());
      if (z.object({ type: z.literal("MutationResponse") }).safeParse(message).success) {
        socket.off("message", listen);
        const answer = answerSchema.safeParse(message);
        if (answer.success) resolve(answer.data);
        else reject(new Error(data.toString()));
      }
    };
    socket.on("message", listen);
  });
}

const hasStrace = ["/usr/bin/strace", "/usr/local/bin/strace"].some((file) => fs.existsSync(file));

describe.skipIf(!hasStrace)("seen by the kernel (strace; skipped where it is not installed)", () => {
  test("between two answers to mutations there is always an fsync of the write-ahead log", async () => {
    const dataDir = tempDir("strace");
    const trace = path.join(dataDir, "trace.txt");
    const ports = await freePorts();
    const url = `http://127.0.0.1:${ports.port}`;
    const engine = startChild({
      name: "engine under strace",
      command: "strace",
      args: [
        ...["-f", "-y", "-s", "24", "-o", trace],
        ...["-e", "trace=fsync,fdatasync,write,writev,sendmsg", process.execPath],
        ...nodeArgs(path.join(ROOT, "engine/main.ts"), [
          ...["--port", String(ports.port), "--site-port", String(ports.sitePort)],
          ...["--data", path.join(dataDir, "data"), "--admin-key", ADMIN_KEY],
        ]),
      ],
      env: process.env,
      onLine: () => undefined,
    });
    try {
      await engine.line(/^ready /);
      await convexDeploy(url);
      const client = new ConvexHttpClient(url);
      const before = fs.readFileSync(trace, "utf8").split("\n").length;
      for (let n = 0; n < 40; n++) await client.mutation(work, { token: `s${n}`, lane: n });
      const lines = fs.readFileSync(trace, "utf8").split("\n").slice(before);

      let synced = false;
      let answers = 0;
      const unsynced: string[] = [];
      for (const line of lines) {
        if (/\b(fsync|fdatasync)\(\d+<[^>]*-wal>/.test(line)) synced = true;
        if (!/HTTP\/1\.1 200/.test(line)) continue;
        answers++;
        if (!synced) unsynced.push(line);
        synced = false;
      }
      expect(answers).toBe(40);
      expect(unsynced).toEqual([]);
    } finally {
      // strace keeps signals to itself; it ends with the engine, whose pid begins the first line.
      process.kill(Number.parseInt(fs.readFileSync(trace, "utf8"), 10), "SIGTERM");
      await engine.ended;
      fs.rmSync(dataDir, { recursive: true, force: true });
    }
  }, 120_000);
});
