import { z } from "zod";
import type { Clock } from "../clock";
import { developerError, EngineError } from "../errors";
import type { Faults } from "../faults";
import type { ActionHost } from "../functions/actions/host";
import { canonicalPath } from "../functions/path";
import { type CompiledModule, compileModules, Program } from "../functions/program";
import type { Deployment, FunctionSpec } from "../functions/release";
import type { Rounds } from "../functions/rounds";
import { applyCrons, type CronDiff } from "../scheduler/crons";
import type { AuthProvider, Database, Deploy, JsonValue } from "../types";
import {
  type AnalysisParts,
  type AnalyzedModule,
  analyzeInWorker,
  analyzeModules,
  evaluateAppDefinition,
  evaluateAuth,
  evaluateSchemaModule,
  readCrons,
} from "./analysis";
import type { Environment } from "./environment";
import { updateHandles } from "./function-handles";
import type { FunctionLog } from "./function-log";
import { finishedJson, functionSpecJson, schemaEvaluationJson, startedJson } from "./push-answers";
import { type PushRequest, parsePush } from "./push-request";
import { type DeploymentParts, packDeployment, storeDeployment, toDeployment } from "./stored-deployment";

/** Pushes that were started and may still be finished. A CLI that went away leaves its push here. */
const PENDING_PUSHES_MAX = 4;

export type DeployParts = {
  database: Database;
  clock: Clock;
  faults?: Faults | null;
  rounds: Rounds;
  environment: Environment;
  log: FunctionLog;
  current(): Deployment;
  /** Makes the next calls run on `deployment` and the environment as it is now. */
  publish(deployment: Deployment): void;
  /** A worker for modules that are not deployed yet. */
  nodeWorker(modules: readonly CompiledModule[], env: { [name: string]: string }): ActionHost;
};

type Prepared = {
  parts: DeploymentParts;
  modules: AnalyzedModule[];
  definition: { [key: string]: JsonValue };
  environmentVersion: object;
  serverVersion: string;
};

/** A push on its way: evaluated by `start_push`, made law by `finish_push`. */
export class DeployState implements Deploy {
  readonly #parts: DeployParts;
  readonly #compiled = new Map<string, CompiledModule>();
  readonly #pending = new Map<string, Prepared>();
  readonly #listeners = new Set<() => void>();
  #turn: Promise<unknown> = Promise.resolve();
  #functionsDir = "convex/";

  constructor(parts: DeployParts) {
    this.#parts = parts;
    this.#remember(parts.current().program.modules);
  }

  readonly env: Deploy["env"] = {
    list: () => this.#parts.environment.list(),
    get: (name) => this.#parts.environment.get(name),
    update: (changes) =>
      this.#inTurn(async () => {
        await this.#parts.environment.update(changes);
        this.#parts.publish(this.#parts.current());
        this.#changed();
      }),
  };

  async startPush(body: JsonValue): Promise<JsonValue> {
    const request = parsePush(body);
    this.#functionsDir = request.functionsDir;
    const prepared = await this.#prepare(request);
    const id = Buffer.from(this.#parts.clock.randomBytes(12)).toString("hex");
    this.#pending.set(id, prepared);
    for (const oldest of this.#pending.keys()) {
      if (this.#pending.size <= PENDING_PUSHES_MAX) break;
      this.#pending.delete(oldest);
    }
    return startedJson({
      id,
      parts: prepared.parts,
      modules: prepared.modules,
      definition: prepared.definition,
      environment: this.#parts.environment.list(),
      serverVersion: prepared.serverVersion,
      schemaBefore: this.#parts.current().schema,
    });
  }

  async evaluateSchema(body: JsonValue): Promise<JsonValue> {
    const { schema } = parsePush(body);
    const next = await evaluateSchemaModule(schema, this.#analysis([]).parts);
    const transaction = this.#parts.database.begin({
      kind: "query",
      nowMs: this.#parts.clock.nowMs(),
      unlimited: true,
    });
    const countOf = (table: string) =>
      z.number().parse(JSON.parse(transaction.call("1.0/count", JSON.stringify({ table }))));
    return schemaEvaluationJson(this.#parts.current().schema, next, countOf);
  }

  async waitForSchema(body: JsonValue): Promise<JsonValue> {
    const prepared = this.#pushOf(body);
    try {
      await this.#parts.database.catalog.checkSchema("", prepared.parts.schema);
    } catch (error) {
      return { type: "failed", error: messageOf(error), componentPath: "", tableName: null };
    }
    return { type: "complete" };
  }

  async finishPush(body: JsonValue): Promise<JsonValue> {
    const { startPush, dryRun } = finishJson.parse(body);
    const prepared = this.#pushOf(startPush);
    return await this.#inTurn(() => this.#finish(prepared, dryRun));
  }

  async configHashes(): Promise<JsonValue> {
    const { program } = this.#parts.current();
    return {
      config: { functions: this.#functionsDir, authInfo: this.authProviders() },
      moduleHashes: program.modules.map(({ path, environment, sha256 }) => ({
        path,
        environment,
        hash: sha256,
      })),
      nodeDependencies: [],
    };
  }

  authProviders(): AuthProvider[] {
    return [...this.#parts.current().auth];
  }

  functionSpec(): JsonValue {
    return functionSpecJson(this.#parts.current());
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  logs(cursor: number): Promise<{ entries: JsonValue[]; newCursor: number }> {
    return this.#parts.log.read(cursor);
  }

  async #prepare(request: PushRequest): Promise<Prepared> {
    const { environment, clock } = this.#parts;
    const environmentVersion = environment.version;
    const modules = [...(await compile(request, this.#compiled)), ...this.#unchanged(request)];
    const program = new Program(modules);
    const { parts, close } = this.#analysis(modules);
    try {
      const definition = await evaluateAppDefinition(request.definition, parts);
      const schema = await evaluateSchemaModule(request.schema, parts);
      const analyzed = await analyzeModules(program, parts);
      const auth = await evaluateAuth(program, parts);
      const functions: FunctionSpec[] = analyzed.flatMap((module) => module.functions);
      const crons = readCrons(analyzed.find((module) => module.crons !== null)?.crons ?? null, functions);
      const routes = analyzed.find((module) => module.routes !== null)?.routes ?? null;
      return {
        modules: analyzed,
        definition,
        environmentVersion,
        serverVersion: request.serverVersion,
        parts: {
          modules,
          functions,
          routes,
          crons,
          auth,
          schema,
          importTimeMs: clock.nowMs(),
          importSeed: parts.setup.importSeed,
        },
      };
    } finally {
      close();
    }
  }

  #analysis(modules: readonly CompiledModule[]): { parts: AnalysisParts; close(): void } {
    const { environment, clock, rounds, nodeWorker } = this.#parts;
    const env = environment.forFunctions();
    let worker: ActionHost | null = null;
    return {
      parts: {
        rounds,
        setup: {
          env,
          importTimeMs: clock.nowMs(),
          importSeed: Buffer.from(clock.randomBytes(16)).toString("hex"),
        },
        analyzeNode: (path) => {
          worker ??= nodeWorker(modules, env);
          return analyzeInWorker(clock, path, worker);
        },
      },
      close: () => worker?.closeWhenIdle(),
    };
  }

  #remember(modules: readonly CompiledModule[]): void {
    for (const module of modules)
      this.#compiled.set(`${module.environment} ${module.path} ${module.sha256}`, module);
  }

  /** Modules that the CLI did not send because they are deployed already. */
  #unchanged(request: PushRequest): CompiledModule[] {
    return request.unchanged.map(({ path, environment, sha256 }) => {
      const known = this.#parts
        .current()
        .program.modules.find(
          (module) => module.path === path && module.environment === environment && module.sha256 === sha256,
        );
      if (known === undefined) {
        throw developerError("RaceDetected", `${path} is not what is deployed any more. Push again.`);
      }
      return known;
    });
  }

  #pushOf(body: JsonValue): Prepared {
    const parsed = changeJson.safeParse(body);
    const prepared = parsed.success
      ? this.#pending.get(parsed.data.schemaChange.schemaIds[""] ?? "")
      : undefined;
    if (prepared === undefined) {
      throw developerError(
        "RaceDetected",
        "This push is not known here: the backend was restarted since it began, or others came after it. Push again.",
      );
    }
    return prepared;
  }

  async #finish(prepared: Prepared, dryRun: boolean): Promise<JsonValue> {
    const { database, environment, clock } = this.#parts;
    if (prepared.environmentVersion !== environment.version) {
      throw developerError(
        "RaceDetected",
        "Environment variables have changed since this push began. Push again.",
      );
    }
    const before = this.#parts.current();
    const { parts } = prepared;
    if (dryRun) return finishedJson(before, parts, { added: [], updated: [], deleted: [] });

    await database.catalog.applySchema("", parts.schema);
    this.#parts.faults?.at("schema_before_release", null);
    const packed = await packDeployment(parts);
    const transaction = database.begin({ kind: "mutation", nowMs: clock.nowMs(), unlimited: true });
    const id = storeDeployment(transaction, packed);
    updateHandles(transaction, new Set(parts.functions.map((spec) => canonicalPath(spec.path))));
    const crons: CronDiff = applyCrons(transaction, parts.crons);
    await database.commit(transaction);

    this.#compiled.clear();
    this.#remember(parts.modules);
    this.#pending.clear();
    this.#parts.publish(toDeployment(id, parts));
    this.#changed();
    return finishedJson(before, parts, crons);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Pushes and changes of the environment follow one another. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

const finishJson = z.object({ startPush: z.json(), dryRun: z.boolean().default(false) });
const changeJson = z.object({ schemaChange: z.object({ schemaIds: z.record(z.string(), z.string()) }) });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function compile(request: PushRequest, known: Map<string, CompiledModule>): Promise<CompiledModule[]> {
  try {
    return await compileModules(request.changed, known);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw developerError(
      "InvalidModules",
      `The push has a module that cannot be loaded: ${messageOf(error)}`,
    );
  }
}
