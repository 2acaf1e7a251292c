import fs from "node:fs";
import { vi } from "vitest";
import * as z from "zod";
import { runFunction, setVariables } from "../../local/backend";
import { identityJwks } from "../../local/env";
import { pushFunctions } from "../../local/push";
import { startSimulator } from "../../simulator/simulator";
import { makeIdentityKey } from "./convex-backend";
import { freePorts, startEngineProcess, tempDir } from "./engine-process";
import { APP_SECRET, BUSINESS, inboundText, OTHER_BUSINESS, SITE_URL, VERIFY_TOKEN } from "./in-process";

const created = z.looseObject({ id: z.string() });
const createdKey = created.extend({ key: z.string() });

export type LiveProduct = Awaited<ReturnType<typeof startLiveProduct>>;

/**
 * The Next server's route functions over the engine in a process of its own, with the product's functions pushed by
 * the official CLI: for what needs subscriptions, which a test double of Convex has not. Starting it takes seconds, so
 * a file of tests shares one. The modules of the server are loaded afresh; import them afterwards.
 */
export async function startLiveProduct() {
  const dataDir = tempDir("live");
  const engine = await startEngineProcess(dataDir, await freePorts());
  const simulator = await startSimulator({ port: 0 });
  const identityKey = JSON.stringify(await makeIdentityKey());
  const shared = {
    SITE_URL,
    API_KEY_PEPPER: "k1:pepper",
    SECRETS_KEYS: `k1:${Buffer.alloc(32, 7).toString("base64url")}`,
    WEBHOOK_VERIFY_TOKEN: VERIFY_TOKEN,
    FACEBOOK_APP_SECRET: APP_SECRET,
    META_GRAPH_URL: simulator.url,
    META_GRAPH_VERSION: "v25.0",
  };
  await setVariables(engine, { ...shared, CONVEX_IDENTITY_JWKS: identityJwks(identityKey) });
  await pushFunctions(engine, { codegen: false });
  vi.resetModules();
  const env = {
    ...shared,
    NEXT_PUBLIC_CONVEX_URL: engine.url,
    CONVEX_IDENTITY_KEY: identityKey,
    BETTER_AUTH_SECRET: "a-secret-that-is-only-used-by-these-tests",
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const run = async (path: string, args: Record<string, unknown>) => await runFunction(engine, path, args);
  const account = created.parse(
    await run("accountsAdmin:add", { ...BUSINESS, accessToken: "sim-access-token", appSecret: APP_SECRET }),
  );
  const other = created.parse(
    await run("accountsAdmin:insert", { ...OTHER_BUSINESS, sealId: "none", accessTokenSealed: "none" }),
  );
  const { takeDelivery } = await import("../../src/server/webhook");
  return {
    accountId: account.id,
    otherAccountId: other.id,
    number: BUSINESS.phoneNumber,
    otherNumber: OTHER_BUSINESS.phoneNumber,
    simulator,
    /** What a process of its own needs to be the server. */
    serverEnv: env,
    run,
    createKey: async (
      scopes: string[],
      more: { numbers?: string[]; rpm?: number; accountId?: string } = {},
    ) =>
      createdKey.parse(
        await run("keysAdmin:create", {
          accountId: account.id,
          name: "test key",
          rpm: 6_000,
          scopes,
          ...more,
        }),
      ),
    revokeKey: async (apiKeyId: string) => await run("keysAdmin:revoke", { apiKeyId }),
    /** A customer writes; returns once the webhook was answered. */
    customerWrites: async (text: string, options: Parameters<typeof inboundText>[1] = {}) => {
      const { body, signature, wamid } = await inboundText(text, options);
      const headers = { "x-hub-signature-256": signature };
      const request = new Request(`${SITE_URL}/api/webhook`, { method: "POST", body, headers });
      const response = await takeDelivery(request);
      if (response.status !== 200) throw new Error(`The webhook was answered with ${response.status}`);
      return wamid;
    },
    stop: async () => {
      await simulator.close();
      await engine.child.stop();
      fs.rmSync(dataDir, { recursive: true, force: true });
      vi.unstubAllEnvs();
    },
  };
}
