import { createHash } from "node:crypto";
import type {
  DataModelFromSchemaDefinition,
  GenericDataModel,
  GenericSchema,
  SchemaDefinition,
  UserIdentity,
} from "convex/server";
import { convexToJson } from "convex/values";
import type { TestConvex, TestConvexForDataModel } from "convex-test";
import { parseJson, requireObject } from "../json";
import { Accessor, type Caller } from "./accessor";
import { openTestBackend, type TestBackend, type TestComponent } from "./backend";
import type { ModuleGlob } from "./live-release";
import { runEngineCode } from "./syscalls";
import type { TestOptions } from "./types";

// The package's own types, so that helpers which take its `t` take this one, too. No code of it is loaded.
export type { TestConvex, TestConvexForDataModel, TestConvexRoot } from "convex-test";

/** `finishAllScheduledFunctions` gives up after so many rounds, as in convex-test. */
const ROUNDS_MAX = 100;

/**
 * Opens the engine for one test of Convex functions, with the interface of the `convex-test` package: a suite that is
 * written for that package runs on the engine by changing the import.
 *
 * Underneath lie the engine's own database (snapshots, conflicts and reruns, schema, indexes, ids, limits), scheduler
 * and files, all in memory and gone with the test. The functions stay objects of the test's process, so that it can
 * mock modules, stub globals and use fake timers, which also drive scheduled functions. In queries and mutations the
 * clock stands still, and `fetch` and timers are refused.
 *
 * What only the engine itself can enforce, because it runs a push in realms of its own: fresh module state for each
 * call, seeded `Math.random` and `crypto`, no Node globals, the second of running time, a promise that never settles,
 * and the rules of the bundler. A suite that leans on any of these passes here and fails there.
 *
 * @param schemaOrOptions the default export of schema.ts, or both arguments as one object
 * @param modules `import.meta.glob("./**\/*.*s")` of the functions folder
 */
export function convexTest<Schema extends GenericSchema>(
  schema?: SchemaDefinition<Schema, boolean>,
  modules?: ModuleGlob,
): TestConvex<SchemaDefinition<Schema, boolean>>;
export function convexTest<Schema extends GenericSchema>(
  options: TestOptions<Schema>,
): TestConvex<SchemaDefinition<Schema, boolean>>;
export function convexTest<Schema extends GenericSchema>(
  schemaOrOptions: SchemaDefinition<Schema, boolean> | TestOptions<Schema> = {},
  modulesGiven?: ModuleGlob,
): TestConvex<SchemaDefinition<Schema, boolean>> {
  const { schema, modules, transactionLimits }: TestOptions<Schema> =
    "tables" in schemaOrOptions
      ? { schema: schemaOrOptions, ...(modulesGiven !== undefined && { modules: modulesGiven }) }
      : schemaOrOptions;
  const components: TestComponent[] = [];
  let ready: Promise<TestBackend> | undefined;
  /** Opens the backend at the first call, and mounts what was registered since the last one. */
  const open = (): Promise<TestBackend> => {
    ready ??= runEngineCode(() =>
      openTestBackend({
        schema: schema === undefined ? null : exportOf(schema),
        modules,
        limits: typeof transactionLimits === "object" ? transactionLimits : {},
      }),
    );
    for (const component of components.splice(0)) {
      ready = ready.then(async (backend) => {
        await backend.mount(component);
        return backend;
      });
    }
    return ready;
  };
  const t = accessorFor<DataModelFromSchemaDefinition<SchemaDefinition<Schema, boolean>>>(open, {
    identity: { kind: "none" },
  });
  return {
    ...t,
    registerComponent(path, componentSchema, componentModules) {
      components.push({ path, schema: exportOf(componentSchema), modules: componentModules });
    },
  };
}

function accessorFor<DataModel extends GenericDataModel>(
  open: () => Promise<TestBackend>,
  caller: Caller,
): TestConvexForDataModel<DataModel> {
  const accessor = new Accessor(open, caller);
  const methods = {
    query: accessor.call.bind(accessor, "query"),
    mutation: accessor.call.bind(accessor, "mutation"),
    action: accessor.call.bind(accessor, "action"),
    run: accessor.run.bind(accessor),
    fetch: accessor.fetch.bind(accessor),
    finishInProgressScheduledFunctions: async () => (await open()).jobs.finishInProgress(),
    finishAllScheduledFunctions: async (advanceTimers: () => void, maxIterations = ROUNDS_MAX) =>
      (await open()).jobs.finishAll(advanceTimers, maxIterations),
    withIdentity: (identity: Partial<UserIdentity>) =>
      accessorFor<DataModel>(open, { ...caller, identity: userOf(identity) }),
    withRequestMetadata: ({ ip, userAgent }: { ip?: string | null; userAgent?: string | null }) =>
      accessorFor<DataModel>(open, {
        identity: caller.identity,
        ...(typeof ip === "string" && { ip }),
        ...(typeof userAgent === "string" && { userAgent }),
      }),
  };
  // Arguments and results are those of the function that a reference names. Only the developer's generated types know
  // them; at run time the validators of the function check both.
  return methods as unknown as TestConvexForDataModel<DataModel>;
}

/** JSON of a schema. `export` is no part of its public type. */
function exportOf(schema: object) {
  const make: unknown = Reflect.get(schema, "export");
  const text: unknown = typeof make === "function" ? make.call(schema) : null;
  if (typeof text !== "string") {
    throw new Error("The schema given to convexTest() must be the result of defineSchema().");
  }
  return parseJson(text, "The schema");
}

const ISSUER = "https://convex.test";

/** A user as a checked token would describe him, with a token that looks like one but is not signed. */
function userOf(given: Partial<UserIdentity>): Caller["identity"] {
  const issuer = given.issuer ?? ISSUER;
  const subject =
    given.subject ?? createHash("sha256").update(JSON.stringify(given)).digest("hex").slice(0, 16);
  const tokenIdentifier = given.tokenIdentifier ?? `${issuer}|${subject}`;
  const known = Object.entries({ ...given, issuer, subject, tokenIdentifier }).filter(
    ([, value]) => value !== undefined,
  );
  const attributes = requireObject(convexToJson(Object.fromEntries(known)), "The identity");
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const { tokenIdentifier: _made, issuer: iss = null, subject: sub = null, ...claims } = attributes;
  return {
    kind: "user",
    attributes,
    expiresAtMs: Number.POSITIVE_INFINITY,
    token: `${part({ alg: "none", typ: "JWT" })}.${part({ ...claims, iss, sub })}.`,
  };
}
