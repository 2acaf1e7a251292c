import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import { canonicalPath } from "../functions/path";
import { type CompiledModule, Program } from "../functions/program";
import type { Component, CronSpec, DefinedFunction, Deployment, MountPoint } from "../functions/release";
import type { AuthProvider, JsonValue, Transaction } from "../types";
import { parseValidator } from "../values/validator";
import { readChunks, removeChunks, writeChunks } from "./chunks";

/** Raised when the stored form changes; older ones are then read here and written anew. */
const FORMAT = 2;
/** Before there were components: one definition, the app, and what belongs to all of them beside it. */
const FORMAT_WITHOUT_COMPONENTS = 1;

const codeJson = z.object({
  modules: z.array(
    z.object({
      path: z.string(),
      environment: z.enum(["isolate", "node"]),
      wrapped: z.string(),
      map: z.string(),
      sha256: z.string(),
    }),
  ),
  functions: z.array(
    z
      .object({
        module: z.string(),
        name: z.string(),
        kind: z.enum(["query", "mutation", "action"]),
        visibility: z.enum(["public", "internal"]),
        environment: z.enum(["isolate", "node"]),
        args: z.json(),
        returns: z.json(),
      })
      .transform(
        ({ module, name, args, returns, ...rest }): DefinedFunction => ({
          ...rest,
          path: { module, name },
          args: parseValidator(args),
          returns: returns === null ? null : parseValidator(returns),
        }),
      ),
  ),
  routes: z.array(z.tuple([z.string(), z.string()])).nullable(),
  crons: z.array(z.object({ name: z.string(), path: z.string(), args: z.json(), schedule: z.json() })),
  schema: z.json(),
});

const commonJson = z.object({
  auth: z.array(
    z.union([
      z.object({
        type: z.literal("customJwt"),
        issuer: z.string(),
        jwks: z.string(),
        algorithm: z.enum(["RS256", "ES256"]),
        applicationID: z.string().exactOptional(),
      }),
      z.object({ type: z.literal("oidc"), domain: z.string(), applicationID: z.string() }),
    ]),
  ),
  importTimeMs: z.number(),
  importSeed: z.string(),
});

const mountJson = z.object({
  path: z.string(),
  definitionPath: z.string(),
  children: z.array(z.string()),
  httpMounts: z.array(z.tuple([z.string(), z.string()])),
  httpPrefix: z.string(),
  env: z.array(
    z.tuple([
      z.string(),
      z.union([
        z.object({ type: z.literal("value"), value: z.string() }),
        z.object({ type: z.literal("envVar"), name: z.string() }),
      ]),
    ]),
  ),
  args: z.record(z.string(), z.json()),
});

const storedJson = commonJson.extend({
  definitions: z.array(codeJson.extend({ path: z.string() })),
  mounts: z.array(mountJson),
});

/** The code of the app, or of one component wherever it is mounted. */
export type DefinitionCode = {
  /** "" for the app. */
  path: string;
  modules: CompiledModule[];
  functions: DefinedFunction[];
  routes: [string, string][] | null;
  crons: CronSpec[];
  schema: JsonValue | null;
};

/** The parts of a deployment that are plain data; everything else is made from them. */
export type DeploymentParts = {
  definitions: DefinitionCode[];
  /** The app at "" comes first, and every component after the one that it is mounted in. */
  mounts: MountPoint[];
  auth: AuthProvider[];
  importTimeMs: number;
  importSeed: string;
};

const APP_ALONE: MountPoint = {
  path: "",
  definitionPath: "",
  children: [],
  httpMounts: [],
  httpPrefix: "/",
  env: [],
  args: {},
};

/** What runs before the first push: no functions at all. */
export const nothingDeployed = (): Deployment =>
  toDeployment("", {
    definitions: [{ path: "", modules: [], functions: [], routes: null, crons: [], schema: null }],
    mounts: [APP_ALONE],
    auth: [],
    importTimeMs: 0,
    importSeed: "0".repeat(32),
  });

export function toDeployment(id: string, parts: DeploymentParts): Deployment {
  const { definitions, mounts, ...common } = parts;
  const programs = new Map(definitions.map(({ path, modules }) => [path, new Program(modules)]));
  const components = new Map(
    mounts.map((mount): [string, Component] => {
      const definition = definitions.find(({ path }) => path === mount.definitionPath);
      const program = programs.get(mount.definitionPath);
      if (definition === undefined || program === undefined) {
        throw new Error(`The deployment lacks the component definition ${mount.definitionPath}.`);
      }
      const { modules: _compiled, path: _known, functions, ...code } = definition;
      const specs = functions.map((spec) => ({ ...spec, component: mount.path }));
      return [
        mount.path,
        {
          ...mount,
          ...code,
          program,
          functions: new Map(specs.map((spec) => [canonicalPath(spec.path), spec])),
        },
      ];
    }),
  );
  const app = components.get("");
  if (app === undefined) throw new Error("The deployment has no app.");
  return { ...common, id, app, components };
}

/** Text form of a deployment: JSON, compressed, as base64, because rows hold text. */
export async function packDeployment(parts: DeploymentParts): Promise<string> {
  const definitions = parts.definitions.map((definition) => ({
    ...definition,
    functions: definition.functions.map(({ path, ...spec }) => ({ ...spec, ...path })),
  }));
  const packed = await promisify(gzip)(JSON.stringify({ ...parts, definitions }));
  return packed.toString("base64");
}

async function unpackDeployment(text: string, format: number): Promise<DeploymentParts> {
  const json: unknown = JSON.parse((await promisify(gunzip)(Buffer.from(text, "base64"))).toString());
  if (format !== FORMAT_WITHOUT_COMPONENTS) return storedJson.parse(json);
  const { auth, importTimeMs, importSeed, ...code } = commonJson.extend(codeJson.shape).parse(json);
  return { auth, importTimeMs, importSeed, definitions: [{ ...code, path: "" }], mounts: [APP_ALONE] };
}

const deploymentRows = (transaction: Transaction) =>
  transaction.system.list("_deployments", "by_creation_time", { limit: 100 });

/** Replaces the stored deployment. Answers its id. */
export function storeDeployment(transaction: Transaction, packed: string): string {
  for (const row of deploymentRows(transaction)) {
    removeChunks(transaction, row._id);
    transaction.system.delete(row._id);
  }
  const id = transaction.system.insert("_deployments", { format: FORMAT, length: packed.length });
  writeChunks(transaction, id, packed);
  return id;
}

/** The deployment that was stored last, null before the first push. */
export async function loadDeployment(transaction: Transaction): Promise<Deployment | null> {
  const row = deploymentRows(transaction).at(-1);
  if (row === undefined) return null;
  const text = readChunks(transaction, row._id);
  const format = row["format"];
  const isKnown = format === FORMAT || format === FORMAT_WITHOUT_COMPONENTS;
  if (!isKnown || row["length"] !== text.length) {
    throw new Error(`The stored deployment ${row._id} cannot be read. Push the functions again.`);
  }
  return toDeployment(row._id, await unpackDeployment(text, format));
}
