import { z } from "zod";
import { developerError } from "../errors";
import type { PushedModule } from "../functions/program";
import type { JsonValue } from "../types";

const moduleJson = z
  .object({
    path: z.string(),
    source: z.string(),
    sourceMap: z.string().nullish(),
    environment: z.enum(["isolate", "node"]),
  })
  .transform((module): PushedModule => ({ ...module, sourceMap: module.sourceMap ?? null }));

const componentJson = z.object({
  definitionPath: z.string(),
  definition: moduleJson.nullable(),
  dependencies: z.array(z.string()),
  schema: moduleJson.nullable(),
  functions: z.array(moduleJson),
  udfServerVersion: z.string(),
});

const pushJson = z.object({
  dryRun: z.boolean().default(false),
  functions: z.string(),
  appDefinition: z.object({
    definition: moduleJson.nullable(),
    dependencies: z.array(z.string()),
    schema: moduleJson.nullable(),
    changedModules: z.array(moduleJson),
    unchangedModuleHashes: z.array(
      z.object({ path: z.string(), environment: z.enum(["isolate", "node"]), sha256: z.string() }),
    ),
    udfServerVersion: z.string(),
  }),
  componentDefinitions: z.array(componentJson),
});

/** Code of one deployment (Convex's limit). */
const CODE_BYTES_MAX = 32 * 1024 * 1024;

/** The app, or one component, as the CLI bundled it. */
export type PushedDefinition = {
  /** Its folder, seen from the app's; "" for the app. Other definitions mount it by this name. */
  path: string;
  /** convex.config.ts; null for an app without one. */
  definition: PushedModule | null;
  /** Paths of the definitions that convex.config.ts imports. */
  dependencies: string[];
  schema: PushedModule | null;
  modules: PushedModule[];
  serverVersion: string;
};

/** What the CLI sends to `start_push` and `evaluate_schema`, as far as the engine reads it. */
export type PushRequest = {
  dryRun: boolean;
  functionsDir: string;
  app: PushedDefinition;
  components: PushedDefinition[];
  /** Modules of the app that the CLI knows to be here already. */
  unchanged: { path: string; environment: "isolate" | "node"; sha256: string }[];
};

/** Reads a push. Throws "developer" for a body of another shape, or too much code. */
export function parsePush(body: JsonValue): PushRequest {
  const parsed = pushJson.safeParse(body);
  if (!parsed.success) {
    throw developerError("BadPush", `This is not a push of the Convex CLI: ${z.prettifyError(parsed.error)}`);
  }
  const { appDefinition, componentDefinitions, dryRun, functions } = parsed.data;
  const { changedModules, unchangedModuleHashes, udfServerVersion, ...app } = appDefinition;
  const request: PushRequest = {
    dryRun,
    functionsDir: functions,
    app: { ...app, path: "", modules: changedModules, serverVersion: udfServerVersion },
    components: componentDefinitions.map(toDefinition),
    unchanged: unchangedModuleHashes,
  };
  const modules = [request.app, ...request.components].flatMap((definition) => definition.modules);
  const bytes = modules.reduce((sum, module) => sum + Buffer.byteLength(module.source), 0);
  if (bytes > CODE_BYTES_MAX) {
    throw developerError(
      "CodeTooLarge",
      `The functions have ${bytes} bytes of code, ${CODE_BYTES_MAX} are allowed.`,
    );
  }
  return request;
}

const toDefinition = ({
  definitionPath,
  functions,
  udfServerVersion,
  ...rest
}: z.infer<typeof componentJson>): PushedDefinition => {
  const node = functions.find((module) => module.environment === "node");
  if (node !== undefined) {
    throw developerError(
      "NodeActionsNotSupported",
      `Node actions are not supported in components. Remove \`"use node;"\` from ${node.path}`,
    );
  }
  return { ...rest, path: definitionPath, modules: functions, serverVersion: udfServerVersion };
};
