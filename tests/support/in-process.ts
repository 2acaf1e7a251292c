import { vi } from "vitest";
import { signatureHeader } from "#shared/signature";
import { internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { type RunningSimulator, startSimulator } from "../../simulator/simulator";
import { makeIdentityKey, startTestBackend } from "./convex-backend";

export const SITE_URL = "http://localhost:3000";
export const APP_SECRET = "sim-app-secret";
export const VERIFY_TOKEN = "sim-verify-token";

/** The business of the simulator's start state. */
export const BUSINESS = {
  name: "Lucky Shrub",
  wabaId: "102290129340398",
  phoneNumberId: "106540352242922",
  phoneNumber: "+15550783881",
};

/** Somebody else's business in the same deployment; nothing is ever sent from it. */
export const OTHER_BUSINESS = {
  name: "Other Shop",
  wabaId: "202290129340398",
  phoneNumberId: "206540352242922",
  phoneNumber: "+15550783882",
};

export type InProcess = Awaited<ReturnType<typeof startInProcess>>;

/**
 * The Next server's route functions over the product's own Convex functions and the simulator, in one process. The
 * modules of the server are loaded afresh, because they keep one environment per process; import them afterwards.
 */
export async function startInProcess(extraEnv: Record<string, string> = {}) {
  const identityKey = await makeIdentityKey();
  const backend = await startTestBackend({ siteUrl: SITE_URL, identityKey });
  const simulator: RunningSimulator = await startSimulator({ port: 0 });
  const env = {
    SITE_URL,
    NEXT_PUBLIC_CONVEX_URL: backend.url,
    BETTER_AUTH_SECRET: "a-secret-that-is-only-used-by-these-tests",
    CONVEX_IDENTITY_KEY: JSON.stringify(identityKey),
    API_KEY_PEPPER: "k2:new-pepper,k1:old-pepper",
    SECRETS_KEYS: `k1:${Buffer.alloc(32, 7).toString("base64url")}`,
    WEBHOOK_VERIFY_TOKEN: VERIFY_TOKEN,
    FACEBOOK_APP_SECRET: APP_SECRET,
    META_GRAPH_URL: simulator.url,
    META_GRAPH_VERSION: "v25.0",
    ...extraEnv,
  };
  vi.resetModules();
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);

  const { t } = backend;
  return {
    backend,
    simulator,
    addBusiness: async () =>
      await t.action(internal.accountsAdmin.add, {
        ...BUSINESS,
        accessToken: "sim-access-token",
        appSecret: APP_SECRET,
      }),
    addOtherBusiness: async () =>
      await t.mutation(internal.accountsAdmin.insert, {
        ...OTHER_BUSINESS,
        sealId: "none",
        accessTokenSealed: "none",
      }),
    createKey: async (
      accountId: Id<"accounts">,
      scopes: string[],
      more: {
        expiresAt?: number;
        numbers?: string[];
        tools?: string[];
        rpm?: number;
        dailyCap?: number;
      } = {},
    ) => await t.action(internal.keysAdmin.create, { accountId, name: "test key", scopes, ...more }),
    stop: async () => {
      await t.finishInProgressScheduledFunctions();
      await simulator.close();
      await backend.stop();
      vi.unstubAllEnvs();
    },
  };
}

let messageCount = 0;

/** A delivery of Meta's with one text of a customer, signed as Meta signs. */
export async function inboundText(
  text: string,
  options: { to?: "own" | "other"; from?: string; name?: string } = {},
): Promise<{ body: string; signature: string; wamid: string }> {
  const { to = "own", from = "16505551234", name = "Sheena Nelson" } = options;
  const business = to === "own" ? BUSINESS : OTHER_BUSINESS;
  messageCount += 1;
  const wamid = `wamid.test${messageCount}`;
  const body = JSON.stringify({
    object: "whatsapp_business_account",
    entry: [
      {
        id: business.wabaId,
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: {
                display_phone_number: business.phoneNumber.slice(1),
                phone_number_id: business.phoneNumberId,
              },
              contacts: [{ profile: { name }, wa_id: from }],
              messages: [
                {
                  from,
                  id: wamid,
                  timestamp: String(Math.floor(Date.now() / 1000)),
                  type: "text",
                  text: { body: text },
                },
              ],
            },
          },
        ],
      },
    ],
  });
  return { body, signature: await signatureHeader(APP_SECRET, body), wamid };
}
