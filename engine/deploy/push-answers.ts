import { canonicalPath } from "../functions/path";
import type { Deployment, FunctionSpec } from "../functions/release";
import type { CronDiff } from "../scheduler/crons";
import type { AuthProvider, FunctionKind, JsonValue } from "../types";
import type { AnalyzedModule } from "./analysis";
import { diffIndexes, indexDiffJson, overviewOf } from "./schema-diff";
import type { DeploymentParts } from "./stored-deployment";

/** The answers of a push in the CLI's own JSON (its `deployApi` schemas). Everything here is only put into words. */

const KIND_NAMES: { [kind in FunctionKind]: string } = {
  query: "Query",
  mutation: "Mutation",
  action: "Action",
};

const functionJson = (spec: FunctionSpec): JsonValue => ({
  name: spec.path.name,
  pos: null,
  udfType: KIND_NAMES[spec.kind],
  visibility: { kind: spec.visibility },
  args: JSON.stringify(spec.args),
  returns: JSON.stringify(spec.returns),
});

const moduleJson = (module: AnalyzedModule): JsonValue => ({
  functions: module.functions.map(functionJson),
  httpRoutes: module.routes?.map(([path, method]) => ({ path, method })) ?? null,
  cronSpecs: module.crons === null ? null : JSON.parse(module.crons),
  sourceMapped: null,
});

const authJson = (provider: AuthProvider): JsonValue =>
  provider.type === "oidc"
    ? { applicationID: provider.applicationID, domain: provider.domain }
    : { ...provider, applicationID: provider.applicationID ?? null };

/** Answer of `start_push`. The id travels with the schema change, which the CLI sends back as it is. */
export function startedJson(push: {
  id: string;
  parts: DeploymentParts;
  modules: readonly AnalyzedModule[];
  definition: { [key: string]: JsonValue };
  environment: { name: string; value: string }[];
  serverVersion: string;
  schemaBefore: JsonValue | null;
}): JsonValue {
  const { parts } = push;
  return {
    environmentVariables: Object.fromEntries(push.environment.map(({ name, value }) => [name, value])),
    externalDepsId: null,
    componentDefinitionPackages: {},
    appAuth: parts.auth.map(authJson),
    analysis: {
      "": {
        definition: { ...push.definition, path: "" },
        schema: parts.schema,
        functions: Object.fromEntries(push.modules.map((module) => [module.path, moduleJson(module)])),
        udfConfig: {
          serverVersion: push.serverVersion,
          importPhaseRngSeed: { $bytes: Buffer.from(parts.importSeed, "hex").toString("base64") },
          importPhaseUnixTimestamp: parts.importTimeMs,
        },
      },
    },
    app: {
      definitionPath: "",
      componentPath: "",
      args: {},
      childComponents: {},
      httpRoutes: {
        httpModuleRoutes: parts.routes?.map(([path, method]) => ({ path, method })) ?? null,
        mounts: [],
      },
      exports: {},
    },
    schemaChange: {
      allocatedComponentIds: {},
      schemaIds: { "": push.id },
      indexDiffs: { "": indexDiffJson(diffIndexes(push.schemaBefore, parts.schema)) },
    },
  };
}

/** Answer of `finish_push`: what became different. */
export function finishedJson(before: Deployment, after: DeploymentParts, crons: CronDiff): JsonValue {
  const auth = (list: readonly AuthProvider[]) => list.map((provider) => JSON.stringify(authJson(provider)));
  const hashes = (modules: readonly { path: string; sha256: string }[]) =>
    modules.map((module) => `${module.path} ${module.sha256}`);
  const paths = (list: readonly string[]) => [...new Set(list.map((item) => item.split(" ")[0] ?? ""))];
  const without = (all: readonly string[], others: readonly string[]) =>
    all.filter((item) => !others.includes(item));
  const [oldModules, newModules] = [hashes(before.program.modules), hashes(after.modules)];
  return {
    authDiff: {
      added: without(auth(after.auth), auth(before.auth)),
      removed: without(auth(before.auth), auth(after.auth)),
    },
    definitionDiffs: {},
    componentDiffs: {
      "": {
        diffType: { type: before.id === "" ? "create" : "modify" },
        moduleDiff: {
          added: paths(without(newModules, oldModules)),
          removed: paths(without(oldModules, newModules)),
        },
        udfConfigDiff: null,
        cronDiff: crons,
        indexDiff: indexDiffJson(diffIndexes(before.schema, after.schema)),
        schemaDiff: null,
      },
    },
  };
}

/** Answer of `evaluate_schema`: what the push would do to tables and indexes, with their sizes. */
export function schemaEvaluationJson(
  before: JsonValue | null,
  after: JsonValue | null,
  countOf: (table: string) => number,
): JsonValue {
  const overview = overviewOf(after);
  const { added, removed, same } = diffIndexes(before, after);
  const predict = (change: string, needsBackfill: boolean) => (index: { name: string }) => {
    const numDocs = countOf(index.name.split(".")[0] ?? "");
    return { ...index, change, needsBackfill: needsBackfill && numDocs > 0, numDocs };
  };
  return {
    componentSchemaEvaluations: {
      "": {
        definitionPath: "",
        schemaValidation: overview.schemaValidation,
        tables: overview.tables.map((name) => ({
          name,
          outcome: overview.schemaValidation ? "mustWalk" : "notValidated",
          numDocs: countOf(name),
          sizeBytes: 0,
        })),
        indexes: [
          ...added.map(predict("added", true)),
          ...removed.map(predict("dropped", false)),
          ...same.map(predict("identical", false)),
        ],
        discardedStagedValidators: [],
      },
    },
    newComponentDefinitions: [],
  };
}

/** What `convex function-spec` prints: functions in the order of their paths, then HTTP routes. */
export function functionSpecJson(deployment: Deployment): JsonValue {
  const functions = [...deployment.functions.values()]
    .sort((a, b) => (canonicalPath(a.path) < canonicalPath(b.path) ? -1 : 1))
    .map(
      (spec): JsonValue => ({
        identifier: canonicalPath(spec.path),
        functionType: KIND_NAMES[spec.kind],
        visibility: { kind: spec.visibility },
        args: spec.args,
        returns: spec.returns ?? { type: "any" },
      }),
    );
  const routes = (deployment.routes ?? []).map(
    ([path, method]): JsonValue => ({ functionType: "HttpAction", method, path }),
  );
  return [...functions, ...routes];
}
