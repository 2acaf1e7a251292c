import type { Chaos } from "../chaos";
import { DeployState } from "../deploy/deploy";
import { Environment } from "../deploy/environment";
import { FunctionLog } from "../deploy/function-log";
import { loadDeployment, nothingDeployed } from "../deploy/stored-deployment";
import { createScheduler } from "../scheduler/scheduler";
import type { Call, Database, EngineOptions, Files, Functions, Outcome } from "../types";
import { ActionCalls } from "./action-calls";
import { type ActionBridge, ActionHost } from "./actions/host";
import { failedCall, plainErrorPayload, toFailure } from "./failure";
import { runHttp } from "./http-calls";
import { SESSION_PRUNE_EVERY_MS } from "./limits";
import { guardRejections } from "./realm";
import { type Deployment, Release } from "./release";
import { Rounds } from "./rounds";
import { createSeeds, type RunResult } from "./run-function";
import { pruneResults } from "./session-results";
import { type InnerCall, TransactionalCalls } from "./transactional-calls";

export type FunctionsOptions = Pick<
  EngineOptions,
  "isolation" | "redactErrors" | "clock" | "log" | "faults"
> & {
  database: Database;
  files: Files;
  chaos?: Chaos | null;
  /** Public origins, for CONVEX_CLOUD_URL and CONVEX_SITE_URL. */
  cloudOrigin: string;
  siteOrigin: string;
};

/** How long `stop` waits for functions that run. */
const STOP_MS_MAX = 10_000;

/**
 * Everything that runs the developer's code: loads the deployment that was pushed last and answers calls on it.
 * Nothing scheduled runs before `start`.
 */
export async function createFunctions(options: FunctionsOptions): Promise<Functions> {
  const { database, clock, files, chaos = null, faults = null } = options;
  guardRejections();
  // Functions live in UTC, on Convex as here; realms share the time zone of the process.
  process.env["TZ"] = "UTC";

  const environment = new Environment(database, clock, options);
  const stored = await loadDeployment(
    database.begin({ kind: "query", nowMs: clock.nowMs(), unlimited: true }),
  );
  const log = new FunctionLog(clock);
  const rounds = new Rounds();
  const bridge: ActionBridge = {
    storeBlob: (blob, component) => files.store(blob, component),
    readBlob: (storageId, component) => files.read(storageId, component),
    describe: (error) => describe(error, options.log),
    log: options.log,
    clock,
    recycles: () => chaos?.recycles() ?? false,
  };
  const release = (deployment: Deployment) =>
    new Release(deployment, environment.forFunctions(), options.isolation, bridge);
  let current = release(stored ?? nothingDeployed());
  const requestId = () => Buffer.from(clock.randomBytes(8)).toString("hex");

  const newSeed = createSeeds(clock);
  const parts = {
    database,
    clock,
    files,
    catalog: database.catalog,
    newSeed,
    chaos,
    faults,
    rounds,
    log,
    current: () => current,
  };
  const transactional = new TransactionalCalls(parts);
  const actions = new ActionCalls(parts, transactional);
  const deploy = new DeployState({
    database,
    clock,
    faults,
    rounds,
    environment,
    log,
    current: () => current.deployment,
    publish: (deployment) => {
      const old = current;
      current = release(deployment);
      old.close();
    },
    nodeWorker: (modules, env) =>
      new ActionHost({ environment: "node", component: "", modules, env, componentArguments: {} }, bridge),
  });
  let stopping = false;
  const scheduler = createScheduler({
    database,
    clock,
    transactional,
    actions,
    requestId,
    chaos,
    faults,
    current: () => current,
    log: options.log,
    stopping: () => stopping,
  });
  let cancelPrune: () => void = () => undefined;
  const prune = (): void => {
    cancelPrune = clock.setTimer(SESSION_PRUNE_EVERY_MS, () => {
      pruneAll(database, clock).catch((error: unknown) =>
        options.log(`old results were not removed: ${String(error)}`),
      );
      prune();
    });
  };

  const outcomeOf = (result: RunResult, id: string): Outcome =>
    result.ok ? result : { ok: false, failure: toFailure(result.error, id, options.redactErrors) };

  return {
    deploy,

    async query(call, given) {
      const { result, logs, saw, ...end } = await transactional.query(
        innerCall(call),
        given?.journal ?? null,
        given?.ts,
      );
      return {
        ...end,
        outcome: outcomeOf(result, call.requestId),
        logLines: logs.toWire(),
        usedIdentity: saw.identity,
        usedClock: saw.clock,
      };
    },

    async mutation(call, given) {
      const { result, logLines, ts } = await transactional.mutation(innerCall(call), given?.once ?? null);
      return { outcome: outcomeOf(result, call.requestId), logLines, ts };
    },

    async action(call) {
      const { result, logs } = await actions.action(innerCall(call));
      return { outcome: outcomeOf(result, call.requestId), logLines: logs.toWire() };
    },

    kindOf: (path, component) => current.kindOf(path, component ?? ""),

    http: (request, identity) =>
      runHttp(
        { clock, log, actions, requestId, redactErrors: options.redactErrors, current: () => current },
        request,
        identity,
      ),

    async start() {
      await scheduler.start();
      prune();
    },

    async stop() {
      stopping = true;
      cancelPrune();
      let cancelTimer: () => void = () => undefined;
      const patience = new Promise<void>((resolve) => {
        cancelTimer = clock.setTimer(STOP_MS_MAX, resolve);
      });
      const ended = scheduler.stop().then(() => Promise.all([actions.whenIdle(), transactional.whenIdle()]));
      await Promise.race([ended, patience]);
      cancelTimer();
      await current.stop();
    },
  };
}

const innerCall = (call: Call): InnerCall => ({
  component: call.component ?? "",
  path: call.path,
  args: call.args,
  identity: call.identity,
  requestId: call.requestId,
  caller: call.caller ?? {},
  trusted: false,
  scheduledJob: null,
  from: "HttpApi",
});

/** The engine's own failures must not pass through an action silently: they are logged, and the action fails. */
function describe(error: unknown, log: (line: string) => void): string {
  try {
    return failedCall(error);
  } catch (unexpected) {
    log(
      `a system call of an action failed: ${unexpected instanceof Error ? unexpected.stack : String(unexpected)}`,
    );
    return plainErrorPayload("Your request couldn't be completed. Try again later.");
  }
}

async function pruneAll(database: Database, clock: EngineOptions["clock"]): Promise<void> {
  while (await pruneResults(database, clock));
}
