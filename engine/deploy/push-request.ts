import { z } from "zod";
import { developerError } from "../errors";
import type { PushedModule } from "../functions/program";
import type { JsonValue } from "../types";

const moduleJson = z.object({
  path: z.string(),
  source: z.string(),
  sourceMap: z.string().nullish(),
  environment: z.enum(["isolate", "node"]),
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
  componentDefinitions: z.array(z.object({ definitionPath: z.string() })),
});

/** Code of one deployment (Convex's limit). */
const CODE_BYTES_MAX = 32 * 1024 * 1024;

/** What the CLI sends to `start_push` and `evaluate_schema`, as far as the engine reads it. */
export type PushRequest = {
  dryRun: boolean;
  functionsDir: string;
  definition: PushedModule | null;
  schema: PushedModule | null;
  changed: PushedModule[];
  /** Modules that the CLI knows to be here already. */
  unchanged: { path: string; environment: "isolate" | "node"; sha256: string }[];
  serverVersion: string;
};

/** Reads a push. Throws "developer" for a body of another shape, too much code, or what the engine does not run. */
export function parsePush(body: JsonValue): PushRequest {
  const parsed = pushJson.safeParse(body);
  if (!parsed.success) {
    throw developerError("BadPush", `This is not a push of the Convex CLI: ${z.prettifyError(parsed.error)}`);
  }
  const { appDefinition: app, componentDefinitions, ...rest } = parsed.data;
  const components = [
    ...new Set([...app.dependencies, ...componentDefinitions.map((c) => c.definitionPath)]),
  ];
  if (components.length > 0) {
    throw developerError(
      "ComponentsNotSupported",
      `This backend does not run Convex components yet. Remove these from convex.config.ts: ${components.join(", ")}.`,
    );
  }
  const changed = app.changedModules.map(toModule);
  const bytes = changed.reduce((sum, module) => sum + Buffer.byteLength(module.source), 0);
  if (bytes > CODE_BYTES_MAX) {
    throw developerError(
      "CodeTooLarge",
      `The functions have ${bytes} bytes of code, ${CODE_BYTES_MAX} are allowed.`,
    );
  }
  return {
    dryRun: rest.dryRun,
    functionsDir: rest.functions,
    definition: app.definition === null ? null : toModule(app.definition),
    schema: app.schema === null ? null : toModule(app.schema),
    changed,
    unchanged: app.unchangedModuleHashes,
    serverVersion: app.udfServerVersion,
  };
}

const toModule = (module: z.infer<typeof moduleJson>): PushedModule => ({
  path: module.path,
  source: module.source,
  sourceMap: module.sourceMap ?? null,
  environment: module.environment,
});
