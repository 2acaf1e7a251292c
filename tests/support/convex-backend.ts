import http from "node:http";
import type { AddressInfo } from "node:net";
import { makeFunctionReference } from "convex/server";
import { ConvexError, convexToJson, jsonToConvex, type Value } from "convex/values";
import { convexTest } from "convex-test";
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWK, jwtVerify } from "jose";
import * as z from "zod";
import schema from "../../convex/schema";
import { mountComponents } from "./components";

const modules = import.meta.glob([
  "../../convex/**/*.ts",
  "../../convex/_generated/*.js",
  "!../../convex/**/*.test.ts",
]);

const call = z.object({ path: z.string(), args: z.tuple([z.json()]) });

/** Convex answers an error of the function itself with this status. */
const FUNCTION_FAILED_STATUS = 560;

export type TestBackend = Awaited<ReturnType<typeof startTestBackend>>;

/**
 * The product's own Convex functions on convex-test, behind the part of Convex's HTTP API that `ConvexHttpClient`
 * uses, with identities checked as `convex/auth.config.ts` says. It listens on a free port of the loopback address.
 */
export async function startTestBackend(env: { siteUrl: string; identityKey: JWK }) {
  const t = convexTest(schema, modules);
  mountComponents(t);
  const { d: _private, ...publicKey } = env.identityKey;
  const keys = createLocalJWKSet({ keys: [{ ...publicKey, alg: "ES256" }] });
  const calls: string[] = [];

  const server = http.createServer(async (request, response) => {
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = call.parse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
      calls.push(body.path);
      const caller = await as(request.headers.authorization);
      const result = await run(caller, request.url ?? "", body);
      answer(response, 200, { status: "success", value: result, logLines: [] });
    } catch (error) {
      const data = error instanceof ConvexError ? { errorData: convexToJson(parsed(error.data)) } : {};
      answer(response, FUNCTION_FAILED_STATUS, {
        status: "error",
        errorMessage: String(error),
        ...data,
        logLines: [],
      });
    }
  });

  async function as(authorization: string | undefined) {
    const token = /^Bearer (.+)$/.exec(authorization ?? "")?.[1];
    if (token === undefined) return t;
    const expected = { issuer: env.siteUrl, audience: "convex", algorithms: ["ES256"] };
    const { payload } = await jwtVerify(token, keys, expected);
    return t.withIdentity({ ...payload, issuer: payload.iss ?? "", subject: payload.sub ?? "" });
  }

  async function run(caller: Pick<typeof t, "query" | "mutation">, url: string, body: z.infer<typeof call>) {
    const args = z.record(z.string(), z.custom<Value>()).parse(jsonToConvex(body.args[0]));
    const result: Value =
      url === "/api/query"
        ? await caller.query(makeFunctionReference<"query">(body.path), args)
        : await caller.mutation(makeFunctionReference<"mutation">(body.path), args);
    return convexToJson(result ?? null);
  }

  const listen = (port: number) =>
    new Promise<number>((resolve) => {
      server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const port = await listen(0);
  return {
    /** The functions themselves, for seeding and for looking at what was stored. */
    t,
    url: `http://127.0.0.1:${port}`,
    /** Every function called over HTTP, in order. */
    calls,
    /** Refuses connections until `resume` opens the same address again; the stored data stays. */
    stop,
    resume: async () => void (await listen(port)),
  };
}

/** A private key as `CONVEX_IDENTITY_KEY` holds it. */
export async function makeIdentityKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: "test" };
}

/** convex-test hands over the data of an error in its encoded form. */
const parsed = (data: Value): Value => (typeof data === "string" ? jsonToConvex(JSON.parse(data)) : data);

function answer(response: http.ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
