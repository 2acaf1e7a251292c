import fs from "node:fs";
import path from "node:path";
import { Chaos } from "../../engine/chaos";
import { type Clock, systemClock } from "../../engine/clock";
import { openFileStore } from "../../engine/files/file-store";
import { createFunctions } from "../../engine/functions/functions";
import { openDatabase } from "../../engine/transaction/database";
import type { Database, Functions, Identity, JsonValue, Outcome } from "../../engine/types";
import { ADMIN_KEY, convexCli, copyApp, tempDir } from "./engine-process";
import type { ManualClock } from "./manual-clock";

const CLOUD = "http://127.0.0.1:3210";
const SITE = "http://127.0.0.1:3211";

export const ANYONE: Identity = { kind: "none" };
export const ADMIN: Identity = { kind: "admin", actingAs: null };

const pushes = new Map<string, Promise<string>>();

/**
 * What the unmodified CLI would send for a fixture app; made once per test file. `files` adds or replaces files of
 * its `convex` folder, null removes one.
 */
export async function pushOf(fixture: string, files: Record<string, string | null> = {}): Promise<JsonValue> {
  const key = JSON.stringify([fixture, files]);
  const text = pushes.get(key) ?? writePush(fixture, files);
  pushes.set(key, text);
  const body: JsonValue = JSON.parse(await text);
  return body;
}

async function writePush(fixture: string, files: Record<string, string | null>): Promise<string> {
  const app = copyApp(fixture);
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(app, "convex", name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (content === null) fs.rmSync(file);
    else fs.writeFileSync(file, content);
  }
  const target = ["--url", "http://127.0.0.1:9", "--admin-key", "x"];
  await convexCli(app, [
    "deploy",
    ...target,
    ...[
      "--write-push-request",
      "push",
      "--push-all-modules",
      "--codegen",
      "disable",
      "--typecheck",
      "disable",
    ],
  ]);
  const text = fs.readFileSync(path.join(app, "push.json"), "utf8");
  fs.rmSync(app, { recursive: true, force: true });
  return text;
}

export type HarnessOptions = {
  isolation?: "fresh" | "reuse";
  redactErrors?: boolean;
  clock?: Clock;
  dataDir?: string;
  fsync?: "full" | "off";
  limitScale?: number;
  chaosSeed?: number;
};

/** Functions over a real database, without ports. */
export class Harness {
  private constructor(
    readonly database: Database,
    readonly functions: Functions,
    readonly dataDir: string,
    readonly options: HarnessOptions,
    /** Lines that the engine logged. */
    readonly log: readonly string[],
    private readonly closeFiles: () => Promise<void>,
  ) {}

  static async open(options: HarnessOptions = {}): Promise<Harness> {
    const dataDir = options.dataDir ?? tempDir("functions");
    const clock = options.clock ?? systemClock;
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    const { limitScale = 1, chaosSeed } = options;
    const chaos = chaosSeed === undefined ? null : new Chaos(chaosSeed);
    const database = await openDatabase({
      dataDir,
      clock,
      fsync: options.fsync ?? "off",
      limitScale,
      chaos,
      log,
    });
    const files = await openFileStore({
      database,
      dataDir,
      clock,
      adminKey: ADMIN_KEY,
      cloudOrigin: CLOUD,
      log,
    });
    const functions = await createFunctions({
      database,
      files,
      clock,
      chaos,
      log,
      cloudOrigin: CLOUD,
      siteOrigin: SITE,
      isolation: options.isolation ?? "fresh",
      redactErrors: options.redactErrors ?? false,
    });
    return new Harness(database, functions, dataDir, options, lines, () => files.close());
  }

  /** A harness with another fixture app deployed. */
  static async with(fixture: string, options: HarnessOptions = {}): Promise<Harness> {
    const harness = await Harness.open(options);
    await harness.deploy(await pushOf(fixture));
    return harness;
  }

  /** A harness with the fixture app deployed; `files` as for `pushOf`. */
  static async deployed(
    options: HarnessOptions = {},
    files: Record<string, string | null> = {},
  ): Promise<Harness> {
    const harness = await Harness.open(options);
    await harness.functions.deploy.env.update([
      { name: "GREETING", value: "hello" },
      { name: "TEST_JWKS", value: "data:text/plain,{}" },
    ]);
    await harness.deploy(await pushOf("convex-app", files));
    return harness;
  }

  /** The CLI's calls, in its order. Answers that of `finish_push`. */
  async deploy(push: JsonValue): Promise<JsonValue> {
    const { deploy } = this.functions;
    await deploy.evaluateSchema(push);
    const startPush = await deploy.startPush(push);
    const schema = await deploy.waitForSchema(startPush);
    if (JSON.stringify(schema) !== '{"type":"complete"}') throw new Error(JSON.stringify(schema));
    return await deploy.finishPush({ startPush, dryRun: false });
  }

  async query(path: string, args: JsonValue = {}, identity: Identity = ANYONE): Promise<JsonValue> {
    return answerOf((await this.functions.query(callOf(path, args, identity))).outcome);
  }

  async mutation(path: string, args: JsonValue = {}, identity: Identity = ANYONE): Promise<JsonValue> {
    return answerOf((await this.functions.mutation(callOf(path, args, identity))).outcome);
  }

  async action(path: string, args: JsonValue = {}, identity: Identity = ANYONE): Promise<JsonValue> {
    return answerOf((await this.functions.action(callOf(path, args, identity))).outcome);
  }

  /** Waits until `look` is true, one commit or turn of the event loop at a time. */
  async until(look: () => Promise<boolean>): Promise<void> {
    while (!(await look())) await new Promise((resolve) => setImmediate(resolve));
  }

  async close(): Promise<void> {
    await this.functions.stop();
    await this.closeFiles();
    await this.database.close();
  }

  /** Takes the database away under everything that runs, as the end of a process does, and opens it again. */
  async crash(clock: ManualClock): Promise<Harness> {
    await this.database.close();
    const stopped = this.functions.stop();
    clock.advance(60_000);
    await stopped;
    await this.closeFiles();
    return await Harness.open({ ...this.options, dataDir: this.dataDir });
  }

  /** Closes everything and opens it again on the same directory, as a restart does. */
  async reopen(options: HarnessOptions = {}): Promise<Harness> {
    await this.close();
    return await Harness.open({ ...this.options, ...options, dataDir: this.dataDir });
  }

  async discard(): Promise<void> {
    await this.close();
    fs.rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export const REQUEST_ID = "0123456789abcdef";

export const callOf = (path: string, args: JsonValue = {}, identity: Identity = ANYONE) => ({
  path,
  args,
  identity,
  requestId: REQUEST_ID,
});

export function answerOf(outcome: Outcome): JsonValue {
  if (!outcome.ok) throw new Error(outcome.failure.message);
  const value: JsonValue = JSON.parse(outcome.value);
  return value;
}
