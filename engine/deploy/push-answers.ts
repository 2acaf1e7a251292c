import { canonicalPath, childPath, shortPath } from "../functions/path";
import type { DefinedFunction, Deployment, MountPoint } from "../functions/release";
import type { CronDiff } from "../scheduler/crons";
import type { AuthProvider, ComponentPath, FunctionKind, JsonObject, JsonValue } from "../types";
import type { AnalyzedModule } from "./analysis";
import type { MountChange } from "./component-rows";
import type { Definition } from "./definitions";
import { diffIndexes, indexDiffJson } from "./schema-diff";
import type { DefinitionCode, DeploymentParts } from "./stored-deployment";

/** The answers of a push in the CLI's own JSON (its `deployApi` schemas). Everything here is only put into words. */

const KIND_NAMES: { [kind in FunctionKind]: string } = {
  query: "Query",
  mutation: "Mutation",
  action: "Action",
};

const functionJson = (spec: DefinedFunction): JsonValue => ({
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

/** Public functions as a tree: folders, modules, exports. */
type ExportTree = Map<string, ExportTree | DefinedFunction>;

function exportTree(functions: readonly DefinedFunction[]): ExportTree {
  const root: ExportTree = new Map();
  for (const spec of functions) {
    if (spec.visibility !== "public") continue;
    let branch = root;
    for (const part of spec.path.module.replace(/\.js$/, "").split("/")) {
      const next = branch.get(part);
      const inner: ExportTree = next instanceof Map ? next : new Map();
      branch.set(part, inner);
      branch = inner;
    }
    branch.set(spec.path.name, spec);
  }
  return root;
}

/** What a definition exports, from which the CLI writes the types of `components.x`. */
const exportsJson = (tree: ExportTree): JsonObject => ({
  type: "branch",
  branch: [...tree].map(([name, inner]) => [
    name,
    inner instanceof Map
      ? exportsJson(inner)
      : { type: "leaf", leaf: `_reference/function/${shortPath(inner.path)}` },
  ]),
});

/** The same for a mounted component: functions with the place where they run. */
const mountedExportsJson = (tree: ExportTree, component: ComponentPath): JsonObject =>
  Object.fromEntries(
    [...tree].map(([name, inner]): [string, JsonValue] => [
      name,
      inner instanceof Map
        ? { type: "branch", children: mountedExportsJson(inner, component) }
        : {
            type: "leaf",
            resource: { type: "function", path: { component, udfPath: canonicalPath(inner.path) } },
          },
    ]),
  );

export type StartedPush = {
  id: string;
  parts: DeploymentParts;
  definitions: ReadonlyMap<string, Definition>;
  /** By definition path. */
  modules: ReadonlyMap<string, readonly AnalyzedModule[]>;
  environment: readonly { name: string; value: string }[];
  serverVersion: string;
  /** Ids of the components that are new, by path. */
  newComponents: ReadonlyMap<ComponentPath, string>;
  before: Deployment;
};

/** Answer of `start_push`. The id travels with the schema change, which the CLI sends back as it is. */
export function startedJson(push: StartedPush): JsonValue {
  const { parts } = push;
  const codeOf = new Map(parts.definitions.map((code) => [code.path, code]));
  return {
    environmentVariables: Object.fromEntries(push.environment.map(({ name, value }) => [name, value])),
    externalDepsId: null,
    componentDefinitionPackages: {},
    appAuth: parts.auth.map(authJson),
    analysis: Object.fromEntries(parts.definitions.map((code) => [code.path, analysisJson(push, code)])),
    app: componentJson(parts.mounts, codeOf, ""),
    schemaChange: schemaChangeJson(push),
  };
}

/** Answer of `evaluate_push`, and part of that of `start_push`. */
export function schemaChangeJson({
  id,
  parts,
  before,
  newComponents,
}: Pick<StartedPush, "id" | "parts" | "before" | "newComponents">): JsonObject {
  const schemas = new Map(parts.definitions.map(({ path, schema }) => [path, schema]));
  const indexDiffs = parts.mounts.map(({ path, definitionPath }): [string, JsonValue] => [
    path,
    indexDiffJson(
      diffIndexes(before.components.get(path)?.schema ?? null, schemas.get(definitionPath) ?? null),
    ),
  ]);
  return {
    allocatedComponentIds: Object.fromEntries(newComponents),
    schemaIds: Object.fromEntries(parts.mounts.map(({ path }) => [path, id])),
    indexDiffs: Object.fromEntries(indexDiffs),
  };
}

function analysisJson(push: StartedPush, code: DefinitionCode): JsonValue {
  const { parts } = push;
  const modules = push.modules.get(code.path) ?? [];
  const exports: JsonObject = code.path === "" ? {} : { exports: exportsJson(exportTree(code.functions)) };
  return {
    definition: { ...push.definitions.get(code.path)?.json, ...exports, path: code.path },
    schema: code.schema,
    functions: Object.fromEntries(modules.map((module) => [module.path, moduleJson(module)])),
    udfConfig: {
      serverVersion: push.serverVersion,
      importPhaseRngSeed: { $bytes: Buffer.from(parts.importSeed, "hex").toString("base64") },
      importPhaseUnixTimestamp: parts.importTimeMs,
    },
  };
}

function componentJson(
  mounts: readonly MountPoint[],
  codeOf: ReadonlyMap<string, DefinitionCode>,
  path: ComponentPath,
): JsonObject {
  const mount = mounts.find((candidate) => candidate.path === path);
  const code = codeOf.get(mount?.definitionPath ?? "");
  const children = mount?.children ?? [];
  const values = Object.entries(mount?.args ?? {}).map(([name, value]): [string, JsonValue] => [
    name,
    { type: "value", value: JSON.stringify(value) },
  ]);
  return {
    definitionPath: mount?.definitionPath ?? "",
    componentPath: path,
    args: Object.fromEntries(values),
    childComponents: Object.fromEntries(
      children.map((name) => [name, componentJson(mounts, codeOf, childPath(path, name))]),
    ),
    httpRoutes: {
      httpModuleRoutes: code?.routes?.map(([route, method]) => ({ path: route, method })) ?? null,
      mounts: mount?.httpMounts.map(([prefix]) => prefix) ?? [],
    },
    exports: path === "" ? {} : mountedExportsJson(exportTree(code?.functions ?? []), path),
  };
}

export type FinishedPush = {
  before: Deployment;
  after: Deployment;
  /** Changes of components; the app is not among them. */
  changes: ReadonlyMap<ComponentPath, MountChange>;
  crons: ReadonlyMap<ComponentPath, CronDiff>;
};

const NO_CRONS: CronDiff = { added: [], updated: [], deleted: [] };

/** Answer of `finish_push`: what became different. */
export function finishedJson({ before, after, changes, crons }: FinishedPush): JsonValue {
  const auth = (list: readonly AuthProvider[]) => list.map((provider) => JSON.stringify(authJson(provider)));
  const paths = new Set(["", ...changes.keys()]);
  const diffs = [...paths].map((path): [string, JsonValue] => {
    const rootChange = before.id === "" ? "create" : "modify";
    const type = path === "" ? rootChange : (changes.get(path) ?? "modify");
    return [path, componentDiffJson(type, before, after, path, crons.get(path) ?? NO_CRONS)];
  });
  return {
    authDiff: {
      added: without(auth(after.auth), auth(before.auth)),
      removed: without(auth(before.auth), auth(after.auth)),
    },
    definitionDiffs: {},
    componentDiffs: Object.fromEntries(diffs),
  };
}

function componentDiffJson(
  type: MountChange,
  before: Deployment,
  after: Deployment,
  path: ComponentPath,
  crons: CronDiff,
): JsonValue {
  const [old, next] = [before.components.get(path), after.components.get(path)];
  const hashes = (component: typeof old) =>
    component?.program.modules.map((module) => `${module.path} ${module.sha256}`) ?? [];
  const names = (list: readonly string[]) => [...new Set(list.map((item) => item.split(" ")[0] ?? ""))];
  // Tables and indexes of a component that is not mounted any more stay as they are.
  const schema = next === undefined ? (old?.schema ?? null) : next.schema;
  return {
    diffType: { type },
    moduleDiff: {
      added: names(without(hashes(next), hashes(old))),
      removed: names(without(hashes(old), hashes(next))),
    },
    udfConfigDiff: null,
    cronDiff: crons,
    indexDiff: indexDiffJson(diffIndexes(old?.schema ?? null, schema)),
    schemaDiff: null,
  };
}

const without = (all: readonly string[], others: readonly string[]) =>
  all.filter((item) => !others.includes(item));

/** What `convex function-spec` prints: functions of the app in the order of their paths, then its HTTP routes. */
export function functionSpecJson({ app }: Deployment): JsonValue {
  const functions = [...app.functions.values()]
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
  const routes = (app.routes ?? []).map(
    ([path, method]): JsonValue => ({ functionType: "HttpAction", method, path }),
  );
  return [...functions, ...routes];
}
