import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { makeIssuer } from "../../support/identity";
import { type LiveEngine, startLiveEngine } from "../../support/live-engine";
import type { Args, Backend } from "./backend";

type Issuer = Awaited<ReturnType<typeof makeIssuer>>;

/**
 * The engine with the fixture, pushed by the official CLI, and the genuine HTTP client. Errors are redacted, as in
 * production: what a case can tell of one is that it came, and the data of a ConvexError.
 */
export async function startSharedEngine(): Promise<{ open(): Promise<Backend>; discard(): Promise<void> }> {
  const engine = await startLiveEngine({ redactErrors: true });
  const issuer = await makeIssuer();
  const changes = [{ name: "CONFORMANCE_JWKS", value: issuer.jwks }];
  await engine.admin("/api/update_environment_variables", { changes });
  await engine.deploy("conformance-app");
  return {
    async open() {
      const backend = backendOf(engine, issuer, null);
      await backend.mutation("documents:clear");
      return backend;
    },
    discard: engine.discard,
  };
}

function backendOf(engine: LiveEngine, issuer: Issuer, token: string | null): Backend {
  const client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
  if (token !== null) client.setAuth(token);
  const isIdle = async () => (await client.query(makeFunctionReference<"query">("jobs:pending"), {})) === 0;
  // Only the case knows what a function answers.
  return {
    name: "engine",
    query: async <Result>(path: string, args: Args = {}) =>
      (await client.query(makeFunctionReference<"query">(path), args)) as Result,
    mutation: async <Result>(path: string, args: Args = {}) =>
      (await client.mutation(makeFunctionReference<"mutation">(path), args)) as Result,
    action: async <Result>(path: string, args: Args = {}) =>
      (await client.action(makeFunctionReference<"action">(path), args)) as Result,
    fetch: (path, init) =>
      fetch(`${engine.siteUrl}${path}`, {
        ...init,
        headers: { ...init?.headers, ...(token !== null && { authorization: `Bearer ${token}` }) },
      }),
    as: async (subject) => backendOf(engine, issuer, await issuer.token(subject)),
    async settle() {
      while (!(await isIdle())) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    close: async () => undefined,
  };
}
