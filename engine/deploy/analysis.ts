import { z } from "zod";
import type { Clock } from "../clock";
import { developerError, type EngineError } from "../errors";
import type { ActionHost } from "../functions/actions/host";
import { errorText, ofThrown } from "../functions/failure";
import { ANALYSIS_TIME_MS_MAX } from "../functions/limits";
import { canonicalPath, parseFunctionPath } from "../functions/path";
import { type CompiledModule, compileModules, Program, type PushedModule } from "../functions/program";
import { Realm } from "../functions/realm";
import type { CronSpec, DefinedFunction } from "../functions/release";
import type { Rounds } from "../functions/rounds";
import type { DefinitionReport, ModuleReport, RealmSetup, ThrownJson } from "../functions/sandbox/port";
import { parseSchedule } from "../scheduler/cron-schedule";
import { parseSchema } from "../transaction/schema";
import type { AuthProvider, JsonValue } from "../types";
import { parseValidator } from "../values/validator";

/** What one module of a definition is. */
export type AnalyzedModule = {
  path: string;
  functions: DefinedFunction[];
  routes: [string, string][] | null;
  crons: string | null;
};

/** How modules are loaded for analysis: `node` ones in a worker, all others in one realm. */
export type AnalysisParts = {
  rounds: Rounds;
  setup: Omit<RealmSetup, "strictEnv">;
  analyzeNode(path: string): Promise<ModuleReport>;
};

const EXPORT_NAME = /^[A-Za-z_$][A-Za-z0-9_$]*$/;
const MODULE_PATH = /^[A-Za-z0-9_./]+\.js$/;

const isDependency = (path: string): boolean => path.startsWith("_deps/");

function failedModule(path: string, thrown: ThrownJson, program: Program): EngineError {
  return developerError(
    "InvalidModules",
    `Failed to analyze ${path}: ${errorText(ofThrown(thrown, program)).trimEnd()}`,
  );
}

/** Runs code of a push for at most the time that analysis may take. */
async function inRealm<T>(
  parts: AnalysisParts,
  realm: Realm,
  path: string,
  run: (realm: Realm) => T,
): Promise<T> {
  let answer: { value: T } | null = null;
  const step = () => {
    answer = { value: run(realm) };
    realm.drain();
  };
  await parts.rounds.run({ run: step, budgetMs: ANALYSIS_TIME_MS_MAX });
  // A callback assigned it, which the compiler cannot see.
  const ended = answer as { value: T } | null;
  if (ended === null) {
    throw analysisTimeout(path);
  }
  return ended.value;
}

const analysisTimeout = (path: string) =>
  developerError(
    "AnalysisTimeout",
    `Evaluating ${path} took longer than ${ANALYSIS_TIME_MS_MAX / 1000} seconds.`,
  );

/** Loads a module in a worker, which ends with the time that analysis may take. Throws "developer" then. */
export async function analyzeInWorker(clock: Clock, path: string, worker: ActionHost): Promise<ModuleReport> {
  let isLate = false;
  const cancel = clock.setTimer(ANALYSIS_TIME_MS_MAX, () => {
    isLate = true;
    void worker.stop();
  });
  const report = await worker.analyze(path);
  cancel();
  if (isLate) throw analysisTimeout(path);
  return report;
}

/** Loads every module of a push and says what it exports. Throws "developer" for what Convex refuses. */
export async function analyzeModules(program: Program, parts: AnalysisParts): Promise<AnalyzedModule[]> {
  const realm = new Realm(program, { ...parts.setup, strictEnv: false });
  const analyzed: AnalyzedModule[] = [];
  for (const module of program.modules) {
    if (isDependency(module.path) || module.path === "auth.config.js") continue;
    if (!MODULE_PATH.test(module.path)) {
      throw developerError(
        "InvalidModules",
        `${module.path} is not a valid path to a Convex module: only letters, digits, underscores and periods are allowed.`,
      );
    }
    const report: ModuleReport =
      module.environment === "node"
        ? await parts.analyzeNode(module.path)
        : JSON.parse(await inRealm(parts, realm, module.path, ({ port }) => port.analyze(module.path)));
    if (!report.ok) throw failedModule(module.path, report.thrown, program);
    analyzed.push(checkModule(module, report));
  }
  return analyzed;
}

function checkModule(module: CompiledModule, report: Extract<ModuleReport, { ok: true }>): AnalyzedModule {
  const { path, environment } = module;
  if (path === "http.js" && report.defaultExport !== "router") {
    throw developerError(
      "InvalidHttpModule",
      "The default export of `convex/http.ts` is not a Router. Did you forget to export the result of httpRouter()?",
    );
  }
  if (path === "crons.js" && report.defaultExport !== "crons") {
    throw developerError(
      "InvalidCronModule",
      "The default export of `convex/crons.ts` is not a Crons object. Did you forget to export the result of cronJobs()?",
    );
  }
  if (environment === "node" && (path === "http.js" || path === "crons.js")) {
    throw developerError("InvalidModules", `${path} cannot use the Node.js runtime: remove "use node".`);
  }
  const functions = report.functions.map((found): DefinedFunction => {
    if (!EXPORT_NAME.test(found.name)) {
      throw developerError(
        "InvalidFunctionName",
        `${found.name} in ${path} is not a valid name of a function.`,
      );
    }
    if (environment === "node" && found.kind !== "action") {
      const kind = found.kind === "query" ? "Query" : "Mutation";
      throw developerError(
        "InvalidModules",
        `\`${found.name}\` defined in \`${path}\` is a ${kind} function. Only actions can be defined in Node.js. See https://docs.convex.dev/functions/actions for more details.`,
      );
    }
    if (found.visibility === null) {
      throw developerError("InvalidModules", `${found.name} in ${path} is neither public nor internal.`);
    }
    const returns: JsonValue = JSON.parse(found.returns);
    return {
      path: { module: path, name: found.name },
      kind: found.kind,
      visibility: found.visibility,
      environment,
      args: parseValidator(JSON.parse(found.args)),
      returns: returns === null ? null : parseValidator(returns),
    };
  });
  return {
    path,
    functions,
    routes: path === "http.js" ? report.routes : null,
    crons: path === "crons.js" ? report.crons : null,
  };
}

const cronsJson = z.record(
  z.string(),
  z.object({ name: z.string(), args: z.array(z.json()), schedule: z.json() }),
);

/** Reads `crons.export()`. Every cron must name a mutation or action of the same push. */
export function readCrons(text: string | null, functions: readonly DefinedFunction[]): CronSpec[] {
  if (text === null) return [];
  const byPath = new Map(functions.map((spec) => [canonicalPath(spec.path), spec]));
  return Object.entries(cronsJson.parse(JSON.parse(text))).map(([name, cron]) => {
    const path = canonicalPath(parseFunctionPath(cron.name));
    const spec = byPath.get(path);
    if (spec === undefined || spec.kind === "query") {
      throw developerError(
        "InvalidCron",
        `The cron job '${name}' schedules ${path}, which is not a mutation or action of this push.`,
      );
    }
    parseSchedule(name, cron.schedule);
    return { name, path, args: cron.args[0] ?? {}, schedule: cron.schedule };
  });
}

/** Evaluates the default export of a definition module in a realm of its own. Answers its JSON. */
async function evaluate(
  module: CompiledModule,
  others: readonly CompiledModule[],
  what: "schema" | "auth" | "app",
  parts: AnalysisParts,
): Promise<{ json: JsonValue } | { thrown: ThrownJson; program: Program }> {
  const program = new Program([...others, module]);
  const realm = new Realm(program, { ...parts.setup, strictEnv: what === "auth" });
  const text = await inRealm(parts, realm, module.path, ({ port }) => port.define(module.path, what));
  const report: DefinitionReport = JSON.parse(text);
  return report.ok ? { json: JSON.parse(report.json) } : { thrown: report.thrown, program };
}

/**
 * JSON of what the default export of schema.ts or convex.config.ts says.
 *
 * @param imported modules that it imports
 */
export async function evaluatePushed(
  module: PushedModule,
  imported: readonly PushedModule[],
  what: "schema" | "app",
  parts: AnalysisParts,
): Promise<JsonValue> {
  const [compiled, ...others] = await compileModules([module, ...imported], new Map());
  if (compiled === undefined) throw new Error(`${module.path} was not compiled`);
  const ended = await evaluate(compiled, others, what, parts);
  if ("thrown" in ended) throw failedModule(module.path, ended.thrown, ended.program);
  return ended.json;
}

/** JSON of `schema.export()`; null without schema.ts. Throws "developer" for a schema that cannot be put in force. */
export async function evaluateSchemaModule(
  module: PushedModule | null,
  parts: AnalysisParts,
): Promise<JsonValue> {
  if (module === null) return null;
  const schema = await evaluatePushed(module, [], "schema", parts);
  parseSchema(schema);
  return schema;
}

const providersJson = z.object({
  providers: z.array(
    z.union([
      z.object({
        type: z.literal("customJwt"),
        issuer: z.string(),
        jwks: z.string(),
        algorithm: z.enum(["RS256", "ES256"]),
        applicationID: z.string().nullish(),
      }),
      z.object({ domain: z.string(), applicationID: z.string() }),
    ]),
  ),
});

/** Providers of auth.config.ts. A variable that it reads must be set; the error names it. */
export async function evaluateAuth(program: Program, parts: AnalysisParts): Promise<AuthProvider[]> {
  const module = program.modules.find((candidate) => candidate.path === "auth.config.js");
  if (module === undefined) return [];
  const dependencies = program.modules.filter((candidate) => isDependency(candidate.path));
  const ended = await evaluate(module, dependencies, "auth", parts);
  if ("thrown" in ended) {
    const missing = /Environment variable \S+ is used in auth config file but its value was not set/.exec(
      ended.thrown.message,
    );
    if (missing !== null) throw developerError("AuthConfigMissingEnvironmentVariable", missing[0]);
    throw failedModule(module.path, ended.thrown, ended.program);
  }
  const parsed = providersJson.safeParse(ended.json);
  if (!parsed.success) {
    throw developerError(
      "InvalidAuthConfig",
      `auth.config.ts cannot be read: ${z.prettifyError(parsed.error)}`,
    );
  }
  return parsed.data.providers.map((provider): AuthProvider => {
    if (!("type" in provider)) return { type: "oidc", ...provider };
    const { applicationID, ...rest } = provider;
    return applicationID == null ? rest : { ...rest, applicationID };
  });
}
