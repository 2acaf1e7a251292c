import fs from "node:fs";
import path from "node:path";
import { importJWK, SignJWT } from "jose";
import * as z from "zod";
import { runFunction } from "../../local/backend";
import { isBuilt } from "../../local/build-app";
import { type LocalEnv, loadEnv, ROOT } from "../../local/env";
import { freePort } from "../../local/ports";
import { type Child, nodeArgs, startChild } from "../../local/process";
import { pushFunctions, setDeploymentVariables } from "../../local/push";
import { appEnv } from "../../local/stack";
import { ADMIN_KEY, type EngineProcess, freePorts, startEngineProcess } from "../support/engine-process";
import { ImportClient } from "../support/transfer";
import { type FakeGraph, startFakeGraph } from "./fake-graph";
import { APP_SECRET, phoneNumberIdOf, phoneNumberOf, wabaIdOf } from "./webhook-bodies";

/** As `npm start` runs the engine, but for errors: here they are to be read. */
const PRODUCTION_FLAGS = ["--isolation", "reuse"];

/** Longer than any run: the tokens of a benchmark must not end within it. */
const TOKEN_LIFE_SECONDS = 24 * 60 * 60;

/** The product's functions, pushed by the official CLI, with a Graph at hand that says yes to everything. */
export type Product = {
  env: LocalEnv;
  graph: FakeGraph;
  /** Ids of the connected numbers, in the order of `phoneNumberIdOf`. */
  accountIds: string[];
  dataDir: string;
  /** Of a process that this started; every start has other ports and the same data. */
  start(dataDir?: string): Promise<EngineProcess>;
  close(): Promise<void>;
};

/** Deploys into `folder`, connects so many numbers and ends the process; `operators` are members of all accounts. */
export async function prepareProduct(
  folder: string,
  accounts: number,
  operators: readonly string[],
): Promise<Product> {
  const graph = await startFakeGraph();
  const dataDir = path.join(folder, "product");
  const port = await freePort();
  const env = await loadEnv({
    generate: true,
    file: null,
    from: {
      PORT: String(port),
      SITE_URL: `http://127.0.0.1:${port}`,
      FACEBOOK_APP_SECRET: APP_SECRET,
      CONVEX_SELF_HOSTED_ADMIN_KEY: ADMIN_KEY,
    },
  });
  const start = async (directory = dataDir) =>
    startEngineProcess(directory, await freePorts(), PRODUCTION_FLAGS);
  const engine = await start();
  try {
    await setDeploymentVariables(engine, env, graph.url);
    await pushFunctions(engine, { codegen: false });
    const accountIds = await connectNumbers(engine, accounts);
    await join(engine, accountIds, operators);
    return { env, graph, accountIds, dataDir, start, close: () => graph.close() };
  } catch (error) {
    await graph.close();
    throw error;
  } finally {
    await engine.child.stop();
  }
}

async function connectNumbers(engine: EngineProcess, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let account = 0; account < count; account++) {
    const added = await runFunction(engine, "accountsAdmin:add", {
      name: `Shop ${account}`,
      wabaId: wabaIdOf(account),
      phoneNumberId: phoneNumberIdOf(account),
      phoneNumber: phoneNumberOf(account),
      accessToken: "bench-token",
    });
    ids.push(z.object({ id: z.string() }).parse(added).id);
  }
  return ids;
}

async function join(engine: EngineProcess, accountIds: readonly string[], operators: readonly string[]) {
  const rows = accountIds.flatMap((accountId) =>
    operators.map((userId) => JSON.stringify({ accountId, userId, role: "admin" })),
  );
  const client = new ImportClient({ cloudUrl: engine.url, adminKey: engine.adminKey });
  const ended = await client.run(rows.join("\n"), {
    format: "jsonLines",
    table: "accountMembers",
    mode: "append",
  });
  if (ended.state !== "completed") throw new Error(`The members were not imported: ${ended.error_message}`);
}

/** What the Next server signs for a person (`use` user) or for the holder of a key (`use` mcp). */
export async function identityToken(env: LocalEnv, use: "user" | "mcp", subject: string): Promise<string> {
  const jwk = z.looseObject({ kid: z.string(), kty: z.string() }).parse(JSON.parse(env.CONVEX_IDENTITY_KEY));
  return await new SignJWT({ use, ...(use === "mcp" && { apiKeyId: subject }) })
    .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: jwk.kid })
    .setIssuer(env.SITE_URL)
    .setAudience("convex")
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + TOKEN_LIFE_SECONDS)
    .sign(await importJWK(jwk, "ES256"));
}

/** `next start` in front of the engine, or null where the app was not built. */
export async function startBuiltApp({ env }: Product, engine: EngineProcess): Promise<Child | null> {
  if (!isBuilt()) return null;
  const own = { ...env, NEXT_PUBLIC_CONVEX_URL: engine.url, CONVEX_SITE_URL: engine.siteUrl };
  const next = path.join(ROOT, "node_modules/next/dist/bin/next");
  const child = startChild({
    name: "app",
    command: process.execPath,
    args: nodeArgs(next, ["start", "--port", String(env.PORT), "--hostname", "127.0.0.1"]),
    env: { ...process.env, ...appEnv(own) },
    onLine: () => undefined,
  });
  await child.line(/Ready in|ready/i);
  return child;
}

/** Gives the folder back when the benchmark is over, however it ends. */
export async function withFolder<Result>(
  folder: string,
  run: (folder: string) => Promise<Result>,
): Promise<Result> {
  try {
    return await run(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
