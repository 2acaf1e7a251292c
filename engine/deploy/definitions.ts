import { z } from "zod";
import { developerError } from "../errors";
import type { PushedModule } from "../functions/program";
import type { JsonValue } from "../types";
import { type AnalysisParts, evaluatePushed } from "./analysis";
import type { PushedDefinition, PushRequest } from "./push-request";

const binding = z.union([
  z.object({ type: z.literal("value"), value: z.string() }),
  z.object({ type: z.literal("envVar"), name: z.string() }),
]);
/** Validators and the values of arguments travel as JSON text. */
const named = z.array(z.tuple([z.string(), z.looseObject({ value: z.string() })])).nullish();

const definitionJson = z.object({
  definitionType: z.union([
    z.looseObject({ type: z.literal("app") }),
    z.looseObject({ type: z.literal("childComponent"), name: z.string(), args: named }),
  ]),
  /** Of the app alone: where its own http.ts is found. */
  httpPrefix: z.string().nullish(),
  childComponents: z
    .array(
      z.object({
        name: z.string(),
        path: z.string(),
        args: named,
        env: z.array(z.tuple([z.string(), binding])).nullish(),
      }),
    )
    .default([]),
  httpMounts: z.record(z.string(), z.string()).default({}),
  envVars: z
    .array(z.tuple([z.string(), z.looseObject({ value: z.string(), optional: z.boolean().optional() })]))
    .nullish(),
});

/** What a convex.config.ts says. */
export type Definition = z.infer<typeof definitionJson> & {
  path: string;
  /** The same as the CLI wants to see it again. */
  json: { [key: string]: JsonValue };
};

const EMPTY_APP = {
  definitionType: { type: "app" },
  childComponents: [],
  httpMounts: {},
  exports: { type: "branch", branch: [] },
};

/**
 * Evaluates every convex.config.ts of a push, a component before those that import it, as the import stands for its
 * path and the name that it gave itself. Throws "developer" for one that fails, is missing or imports itself.
 */
export async function evaluateDefinitions(
  request: PushRequest,
  parts: AnalysisParts,
): Promise<ReadonlyMap<string, Definition>> {
  const pushed = new Map(
    [request.app, ...request.components].map((definition) => [definition.path, definition]),
  );
  const evaluated = new Map<string, Definition>();
  const evaluate = async (path: string, importers: readonly string[]): Promise<Definition> => {
    const known = evaluated.get(path);
    if (known !== undefined) return known;
    if (importers.includes(path)) {
      throw developerError("ComponentCycle", `The component definition ${path} mounts itself.`);
    }
    const definition = pushed.get(path);
    if (definition === undefined) {
      throw developerError("ComponentMissing", `The push lacks the component definition ${path}.`);
    }
    const children: Definition[] = [];
    for (const dependency of definition.dependencies) {
      children.push(await evaluate(dependency, [...importers, path]));
    }
    const answer = await evaluateOne(definition, children, parts);
    evaluated.set(path, answer);
    return answer;
  };
  for (const path of pushed.keys()) await evaluate(path, []);
  return evaluated;
}

async function evaluateOne(
  { path, definition }: PushedDefinition,
  children: readonly Definition[],
  parts: AnalysisParts,
): Promise<Definition> {
  if (definition === null) return { ...definitionJson.parse(EMPTY_APP), path, json: EMPTY_APP };
  const json = await evaluatePushed(definition, children.map(importOf), "app", parts);
  const parsed = definitionJson.safeParse(json);
  if (!parsed.success || (parsed.data.definitionType.type === "app") !== (path === "")) {
    throw developerError(
      "InvalidDefinition",
      path === ""
        ? "convex.config.ts must export the result of defineApp()."
        : `${path}/convex.config.ts must export the result of defineComponent().`,
    );
  }
  return { ...parsed.data, path, json: { ...EMPTY_APP, ...z.record(z.string(), z.json()).parse(json) } };
}

/** The module that the CLI has put in the place of an imported convex.config.ts. */
function importOf({ path, definitionType }: Definition): PushedModule {
  const imported = {
    componentDefinitionPath: path,
    defaultName: definitionType.type === "app" ? "" : definitionType.name,
  };
  return {
    path: `_componentDeps/${Buffer.from(path).toString("base64url")}`,
    source: `export default ${JSON.stringify(imported)};`,
    sourceMap: null,
    environment: "isolate",
  };
}
