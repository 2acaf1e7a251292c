import { z } from "zod";
import type { Clock } from "../clock";
import { developerError, EngineError } from "../errors";
import type { Faults } from "../faults";
import type { ActionHost } from "../functions/actions/host";
import { type CompiledModule, compileModules, Program, type PushedModule } from "../functions/program";
import type { Deployment } from "../functions/release";
import type { Rounds } from "../functions/rounds";
import type { AuthProvider, ComponentPath, Database, Deploy, JsonValue, Transaction } from "../types";
import {
  type AnalysisParts,
  type AnalyzedModule,
  analyzeInWorker,
  analyzeModules,
  evaluateAuth,
  evaluateSchemaModule,
  readCrons,
} from "./analysis";
import { knownComponents } from "./component-rows";
import { type Definition, evaluateDefinitions } from "./definitions";
import type { Environment } from "./environment";
import type { FunctionLog } from "./function-log";
import { checkHttpMounts, mountTree } from "./mount-tree";
import { finishedJson, functionSpecJson, schemaChangeJson, startedJson } from "./push-answers";
import { type PushedDefinition, type PushRequest, parsePush } from "./push-request";
import { schemaEvaluationJson } from "./schema-evaluation";
import { SchemaPreparation } from "./schema-preparation";
import { type DefinitionCode, type DeploymentParts, packDeployment, toDeployment } from "./stored-deployment";
import { type Stored, writeDeployment } from "./write-deployment";

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
  definitions: ReadonlyMap<string, Definition>;
  /** By definition path. */
  modules: ReadonlyMap<string, readonly AnalyzedModule[]>;
  /** Ids of the components that are not known yet, by path. */
  newComponents: ReadonlyMap<ComponentPath, string>;
  environmentVersion: object;
  serverVersion: string;
  /** Begun when the CLI first waits for it. */
  schemas: SchemaPreparation | null;
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
    this.#remember(modulesOf(parts.current()));
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
    const { environmentVersion: _now, schemas: _later, ...push } = prepared;
    return startedJson({
      ...push,
      id,
      environment: this.#parts.environment.list(),
      before: this.#parts.current(),
    });
  }

  async evaluatePush(body: JsonValue): Promise<JsonValue> {
    const prepared = await this.#prepare(parsePush(body));
    return { schemaChange: schemaChangeJson({ ...prepared, id: "", before: this.#parts.current() }) };
  }

  async evaluateSchema(body: JsonValue): Promise<JsonValue> {
    const request = parsePush(body);
    const { parts } = this.#analysis([]);
    const definitions = await evaluateDefinitions(request, parts);
    const schemas = new Map<string, JsonValue>();
    for (const { path, schema } of [request.app, ...request.components]) {
      schemas.set(path, await evaluateSchemaModule(schema, parts));
    }
    const before = this.#parts.current();
    const changes = mountTree(definitions, parts.setup.env).map((mount) => ({
      mount,
      before: before.components.get(mount.path)?.schema ?? null,
      after: schemas.get(mount.definitionPath) ?? null,
    }));
    const known = new Set([...before.components.values()].map((component) => component.definitionPath));
    const transaction = this.#look();
    const countOf = (component: ComponentPath, table: string) =>
      z.number().parse(JSON.parse(transaction.call("1.0/count", JSON.stringify({ table }), component)));
    return schemaEvaluationJson(
      changes,
      [...schemas.keys()].filter((path) => !known.has(path)),
      countOf,
    );
  }

  async waitForSchema(body: JsonValue): Promise<JsonValue> {
    const push = this.#pushOf(body);
    const { timeoutMs, dryRun } = waitJson.parse(body);
    push.schemas ??= new SchemaPreparation(
      this.#parts.database.catalog,
      [...toDeployment("", push.parts).components.values()].map(({ path, schema }) => ({
        component: path,
        schema,
      })),
      dryRun,
    );
    return await push.schemas.status(this.#parts.clock, timeoutMs);
  }

  async finishPush(body: JsonValue): Promise<JsonValue> {
    const { startPush, dryRun } = finishJson.parse(body);
    const prepared = this.#pushOf(startPush);
    return await this.#inTurn(() => this.#finish(prepared, dryRun));
  }

  async configHashes(): Promise<JsonValue> {
    const { program } = this.#parts.current().app;
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
    const appModules = [...(await compile(request.app.modules, this.#compiled)), ...this.#unchanged(request)];
    const { parts, close } = this.#analysis(appModules);
    // What is bound to a component is known where it is mounted, and one definition may be mounted twice.
    const inComponents = { ...parts, setup: { ...parts.setup, env: environment.builtIn } };
    try {
      const definitions = await evaluateDefinitions(request, parts);
      const mounts = mountTree(definitions, parts.setup.env);
      const modules = new Map<string, AnalyzedModule[]>();
      const codes: DefinitionCode[] = [];
      for (const pushed of [request.app, ...request.components]) {
        const isApp = pushed.path === "";
        const compiled = isApp ? appModules : await compile(pushed.modules, this.#compiled);
        const analyzed = await analyzeDefinition(pushed, compiled, isApp ? parts : inComponents);
        modules.set(pushed.path, analyzed.modules);
        codes.push(analyzed.code);
      }
      checkHttpMounts(mounts, (path) => codes.find((code) => code.path === path)?.routes ?? null);
      return {
        definitions,
        modules,
        newComponents: this.#allocate(mounts.map((mount) => mount.path)),
        environmentVersion,
        serverVersion: request.app.serverVersion,
        schemas: null,
        parts: {
          definitions: codes,
          mounts,
          auth: await evaluateAuth(new Program(appModules), parts),
          importTimeMs: clock.nowMs(),
          importSeed: parts.setup.importSeed,
        },
      };
    } finally {
      close();
    }
  }

  /** An id for each component that was never mounted before. */
  #allocate(paths: readonly ComponentPath[]): Map<ComponentPath, string> {
    const known = knownComponents(this.#look());
    const isNew = (path: ComponentPath) => path !== "" && !known.has(path);
    return new Map(
      paths
        .filter(isNew)
        .map((path) => [path, Buffer.from(this.#parts.clock.randomBytes(16)).toString("hex")]),
    );
  }

  /** The database as it is now, for the engine's own questions. */
  #look(): Transaction {
    const { database, clock } = this.#parts;
    return database.begin({ kind: "query", nowMs: clock.nowMs(), unlimited: true });
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
        .app.program.modules.find(
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
    const after = toDeployment("", parts);
    if (dryRun) return finishedJson({ before, after, changes: new Map(), crons: new Map() });

    const packed = await packDeployment(parts);
    const schemas = new Map([...after.components.values()].map(({ path, schema }) => [path, schema]));
    // What the last of the attempts wrote.
    let stored: Stored = { id: "", changes: new Map(), crons: new Map() };
    await database.catalog.applySchemas(schemas, () => {
      const transaction = database.begin({ kind: "mutation", nowMs: clock.nowMs(), unlimited: true });
      stored = writeDeployment(transaction, after, prepared.newComponents, packed);
      this.#parts.faults?.at("schema_before_release", null);
      return transaction;
    });

    this.#compiled.clear();
    this.#remember(modulesOf(after));
    this.#pending.clear();
    this.#parts.publish({ ...after, id: stored.id });
    this.#changed();
    return finishedJson({ before, after, ...stored });
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
/** The CLI waits for 10 seconds at a time. */
const waitJson = z.object({ timeoutMs: z.number().default(10_000), dryRun: z.boolean().default(false) });
const changeJson = z.object({ schemaChange: z.object({ schemaIds: z.record(z.string(), z.string()) }) });

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function compile(
  modules: readonly PushedModule[],
  known: Map<string, CompiledModule>,
): Promise<CompiledModule[]> {
  try {
    return await compileModules(modules, known);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw developerError(
      "InvalidModules",
      `The push has a module that cannot be loaded: ${messageOf(error)}`,
    );
  }
}

const modulesOf = ({ components }: Deployment): CompiledModule[] =>
  [...components.values()].flatMap((component) => component.program.modules);

/** Evaluates the schema of a definition and loads its modules. */
async function analyzeDefinition(
  { path, schema }: PushedDefinition,
  compiled: CompiledModule[],
  parts: AnalysisParts,
): Promise<{ modules: AnalyzedModule[]; code: DefinitionCode }> {
  const evaluated = await evaluateSchemaModule(schema, parts);
  const modules = await analyzeModules(new Program(compiled), parts);
  const functions = modules.flatMap((module) => module.functions);
  const crons = readCrons(modules.find((module) => module.crons !== null)?.crons ?? null, functions);
  const routes = modules.find((module) => module.routes !== null)?.routes ?? null;
  return { modules, code: { path, modules: compiled, functions, routes, crons, schema: evaluated } };
}
