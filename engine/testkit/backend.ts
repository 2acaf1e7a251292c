import { randomBytes } from "node:crypto";
import { clearTimeout, setTimeout } from "node:timers";
import type { Clock } from "../clock";
import { FunctionLog } from "../deploy/function-log";
import { type FileStore, openFileStore } from "../files/file-store";
import { failedCall } from "../functions/failure";
import { Rounds } from "../functions/rounds";
import { createSeeds } from "../functions/run-function";
import type { InnerCall } from "../functions/transactional-calls";
import { openDatabase } from "../transaction/database";
import type { ComponentPath, Database, JsonValue } from "../types";
import { TestJobs } from "./jobs";
import { type InlineFunction, LiveActionCalls, LiveTransactionalCalls } from "./live-calls";
import { LiveRelease, type ModuleGlob } from "./live-release";
import type { Limits } from "./live-run";
import { runEngineCode } from "./syscalls";

/** Where functions believe to be reached; nothing listens there. */
const CLOUD_ORIGIN = "https://some-deployment.convex.cloud";
export const SITE_ORIGIN = "https://some.convex.site";

/**
 * The engine's clock in a test: its time is the test's, also a fake one. Its timers are real: what the engine waits
 * for inside must not wait for a test to advance its clock.
 */
const TEST_CLOCK: Clock = {
  nowMs: () => runEngineCode(() => Date.now()),
  setTimer(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  randomBytes: (length) => randomBytes(length),
};

export type BackendOptions = {
  /** JSON of `schema.export()`; null without a schema. */
  schema: JsonValue;
  modules: ModuleGlob | undefined;
  limits: Limits;
};

/** A component that a test registered; `path` is that of its mount, `name` or `outer/name`. */
export type TestComponent = { path: ComponentPath; schema: JsonValue; modules: ModuleGlob };

/** The engine in one test: a database and files in memory, functions where they are, scheduled ones on test timers. */
export type TestBackend = {
  release: LiveRelease;
  transactional: LiveTransactionalCalls;
  actions: LiveActionCalls;
  jobs: TestJobs;
  /** Mounts a component, with tables of its own. */
  mount(component: TestComponent): Promise<void>;
  /** Makes `call` mean a function that a test wrote in place. */
  runInline(call: InnerCall, inline: InlineFunction): void;
  requestId(): string;
};

/** Opens an engine for one test. Throws what a push would be refused with, for the schema. */
export async function openTestBackend({ schema, modules, limits }: BackendOptions): Promise<TestBackend> {
  const clock = TEST_CLOCK;
  const database = await openDatabase({ dataDir: null, clock, fsync: "off", log });
  const files = await openFileStore({
    database,
    dataDir: null,
    clock,
    adminKey: Buffer.from(clock.randomBytes(16)).toString("hex"),
    cloudOrigin: CLOUD_ORIGIN,
    log,
  });
  await database.catalog.applySchema("", schema);
  return compose(database, files, clock, { modules, limits });
}

function compose(
  database: Database,
  files: FileStore,
  clock: Clock,
  { modules, limits }: Pick<BackendOptions, "modules" | "limits">,
): TestBackend {
  const release = new LiveRelease(modules, {
    storeBlob: (blob, component) => files.store(blob, component),
    readBlob: (storageId, component) => files.read(storageId, component),
    describe: failedCall,
    log,
    clock,
    recycles: () => false,
  });
  const { catalog } = database;
  const inline = new WeakMap<InnerCall, InlineFunction>();
  const parts = {
    database,
    clock,
    chaos: null,
    files,
    catalog,
    newSeed: createSeeds(clock),
    rounds: new Rounds(),
    log: new FunctionLog(clock),
    current: () => release,
  };
  const live = { catalog, files, release, limits };
  const transactional = new LiveTransactionalCalls(parts, live, inline);
  const actions = new LiveActionCalls(parts, transactional, live, inline);
  const requestId = () => Buffer.from(clock.randomBytes(8)).toString("hex");
  const scheduler = { ...parts, transactional, actions, requestId, stopping: () => false, log };
  return {
    release,
    transactional,
    actions,
    jobs: new TestJobs(scheduler, release),
    async mount({ path, schema, modules: code }) {
      release.mount(path, code);
      await catalog.applySchema(path, schema);
    },
    runInline: (call, written) => {
      inline.set(call, written);
    },
    requestId,
  };
}

/** Where the engine speaks to the developer: a test has no other place for it. */
function log(line: string): void {
  console.error(line);
}
