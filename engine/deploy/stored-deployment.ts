import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import { canonicalPath } from "../functions/path";
import { type CompiledModule, Program } from "../functions/program";
import type { CronSpec, Deployment, FunctionSpec } from "../functions/release";
import type { AuthProvider, JsonValue, Transaction } from "../types";
import { parseValidator } from "../values/validator";
import { readChunks, removeChunks, writeChunks } from "./chunks";

/** Raised when the stored form changes; older ones are then read here and written anew. */
const FORMAT = 1;

const storedJson = z.object({
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
    z.object({
      module: z.string(),
      name: z.string(),
      kind: z.enum(["query", "mutation", "action"]),
      visibility: z.enum(["public", "internal"]),
      environment: z.enum(["isolate", "node"]),
      args: z.json(),
      returns: z.json(),
    }),
  ),
  routes: z.array(z.tuple([z.string(), z.string()])).nullable(),
  crons: z.array(z.object({ name: z.string(), path: z.string(), args: z.json(), schedule: z.json() })),
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
  schema: z.json(),
  importTimeMs: z.number(),
  importSeed: z.string(),
});

/** The parts of a deployment that are plain data; everything else is made from them. */
export type DeploymentParts = {
  modules: CompiledModule[];
  functions: FunctionSpec[];
  routes: [string, string][] | null;
  crons: CronSpec[];
  auth: AuthProvider[];
  schema: JsonValue | null;
  importTimeMs: number;
  importSeed: string;
};

export function toDeployment(id: string, parts: DeploymentParts): Deployment {
  const { modules, functions, ...rest } = parts;
  return {
    ...rest,
    id,
    program: new Program(modules),
    functions: new Map(functions.map((spec) => [canonicalPath(spec.path), spec])),
  };
}

/** Text form of a deployment: JSON, compressed, as base64, because rows hold text. */
export async function packDeployment(parts: DeploymentParts): Promise<string> {
  const functions = parts.functions.map(({ path, ...spec }) => ({ ...spec, ...path }));
  const packed = await promisify(gzip)(JSON.stringify({ ...parts, functions }));
  return packed.toString("base64");
}

async function unpackDeployment(text: string): Promise<DeploymentParts> {
  const json = (await promisify(gunzip)(Buffer.from(text, "base64"))).toString();
  const stored = storedJson.parse(JSON.parse(json));
  return {
    ...stored,
    functions: stored.functions.map(({ module, name, args, returns, ...spec }) => ({
      ...spec,
      path: { module, name },
      args: parseValidator(args),
      returns: returns === null ? null : parseValidator(returns),
    })),
  };
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
  if (row["format"] !== FORMAT || row["length"] !== text.length) {
    throw new Error(`The stored deployment ${row._id} cannot be read. Push the functions again.`);
  }
  return toDeployment(row._id, await unpackDeployment(text));
}
