import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ROOT } from "../local/env";
import { cliEnv } from "../local/push";
import { copyApp } from "../tests/support/engine-process";
import { type LiveEngine, startLiveEngine } from "../tests/support/live-engine";

const TEST_TIMEOUT_MS = 120_000;
const LINE_TIMEOUT_MS = 40_000;

let engine: LiveEngine;
let app: string;
let client: ConvexHttpClient;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  engine = await startLiveEngine();
  await engine.admin("/api/update_environment_variables", {
    changes: [{ name: "CHAT_JWKS", value: "data:application/json,{}" }],
  });
  await engine.deploy("chat-app");
  app = copyApp("chat-app");
  client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
}, TEST_TIMEOUT_MS);

afterEach(async () => {
  for (const child of children) {
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
  }
});

afterAll(async () => {
  await engine.discard();
  fs.rmSync(app, { recursive: true, force: true });
});

const send = makeFunctionReference<"mutation", { channel: string; body: string }, string>("messages:send");
const list = makeFunctionReference<"query", { channel: string }, string[]>("messages:list");
const crash = makeFunctionReference<"query", Record<string, never>, null>("messages:crash");

/** A command that goes on until the test ends it; `said` waits for something in what it prints from now on. */
function start(...args: string[]) {
  const child = spawn(process.execPath, [path.join(ROOT, "node_modules/convex/bin/main.js"), ...args], {
    cwd: app,
    env: {
      ...cliEnv(),
      CONVEX_SELF_HOSTED_URL: engine.cloudUrl,
      CONVEX_SELF_HOSTED_ADMIN_KEY: engine.adminKey,
    },
  });
  children.add(child);
  child.once("close", () => children.delete(child));
  let output = "";
  let readTo = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      output += stripVTControlCharacters(String(data));
    });
  }
  return {
    /** @param meanwhile called again and again until it was said */
    async said(pattern: RegExp, meanwhile: () => Promise<unknown> = async () => undefined): Promise<string> {
      const heard = async () => {
        await meanwhile();
        return output.slice(readTo);
      };
      await expect.poll(heard, { timeout: LINE_TIMEOUT_MS, interval: 50 }).toMatch(pattern);
      const said = output.slice(readTo);
      readTo = output.length;
      return said;
    },
  };
}

test(
  "dev pushes at every change of a file; what cannot be pushed is told, and the code from before stays",
  async () => {
    const messages = path.join(app, "convex/messages.ts");
    const schema = path.join(app, "convex/schema.ts");
    const [code, tables] = [messages, schema].map((file) => fs.readFileSync(file, "utf8"));
    const listing = (body: string) =>
      (code ?? "").replace(
        "return rows.map((row) => row.body);",
        `return [...rows.map((row) => row.body), ${body}];`,
      );
    await client.mutation(send, { channel: "dev", body: "kept" });

    const dev = start("dev", "--typecheck", "disable", "--codegen", "disable", "--tail-logs", "disable");
    await dev.said(/Convex functions ready!/);
    fs.writeFileSync(messages, listing('"first"'));
    await dev.said(/Convex functions ready!/);
    expect(await client.query(list, { channel: "dev" })).toEqual(["kept", "first"]);

    fs.writeFileSync(messages, `${listing('"broken"')}\nthis is no code`);
    await dev.said(/Expected ";"|error/i);
    expect(await client.query(list, { channel: "dev" })).toEqual(["kept", "first"]);

    fs.writeFileSync(messages, listing('"second"'));
    fs.writeFileSync(schema, (tables ?? "").replace("body: v.string()", "body: v.number()"));
    expect(await dev.said(/Schema validation failed[\s\S]*does not match the schema/)).toContain(
      'in table "messages"',
    );
    expect(await client.query(list, { channel: "dev" })).toEqual(["kept", "first"]);

    fs.writeFileSync(schema, tables ?? "");
    await dev.said(/Convex functions ready!/);
    expect(await client.query(list, { channel: "dev" })).toEqual(["kept", "second"]);
  },
  TEST_TIMEOUT_MS,
);

test(
  "logs prints the lines of functions, their errors and, where asked, their successes, also of before",
  async () => {
    await client.mutation(send, { channel: "logs", body: "earlier" });
    const logs = start("logs", "--history", "1", "--success");
    expect(await logs.said(/Function executed in \d+ ms/)).toMatch(
      /\[CONVEX M\(messages:send\)\] \[LOG\] 'sending' 'earlier'/,
    );
    await logs.said(/'sending' 'live'/, () => client.mutation(send, { channel: "logs", body: "live" }));
    await expect(client.query(crash, {})).rejects.toThrow();
    expect(await logs.said(/the reason is for developers/)).toMatch(
      /\[CONVEX Q\(messages:crash\)\] Uncaught Error: the reason is for developers\s+at .*messages\.ts/,
    );
  },
  TEST_TIMEOUT_MS,
);
