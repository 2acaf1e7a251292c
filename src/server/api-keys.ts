import { createHmac } from "node:crypto";
import { defined } from "#shared/defined";
import { parseApiKey } from "#shared/ids";
import { isScope } from "#shared/scopes";
import { MINUTE_MS } from "#shared/time";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import type { Caller } from "./caller";
import { mutateAs, queryAs } from "./convex";
import { serverEnv } from "./env";
import type { Identity } from "./identity";
import { logError } from "./log";

const SERVICE: Identity = { use: "service" };

/** Keys whose last use this process remembers having reported. */
const REPORTED_KEYS_MAX = 10_000;

/**
 * The holder of a key, or null for any that is malformed, mistyped, unknown, revoked or expired. A wrong checksum
 * is found without asking the backend. Every use asks anew, so that a key is refused from the moment at which its
 * revocation is committed. `address` is where the use came from, if that is known.
 * @throws BackendUnavailable when Convex does not answer
 */
export async function callerOfApiKey(text: string, address: string | undefined): Promise<Caller | null> {
  if (parseApiKey(text) === null) return null;
  for (const pepper of serverEnv().API_KEY_PEPPER) {
    const keyHash = createHmac("sha256", pepper.value).update(text).digest("base64url");
    const found = await queryAs(SERVICE, api.callers.resolveKey, { keyHash, pepperId: pepper.kid });
    if (found === null) continue;
    if (found.expiresAt !== undefined && found.expiresAt <= Date.now()) return null;
    reportUse(found.apiKeyId, address);
    const { apiKeyId, name, numbers, tools, direction, confirmAfter } = found;
    return {
      principal: `key:${apiKeyId}`,
      identity: { use: "mcp", apiKeyId },
      name,
      scopes: found.scopes.filter(isScope),
      numbers,
      confirmAfter,
      ...defined({ tools, direction }),
    };
  }
  return null;
}

const reportedAt = new Map<string, number>();

/** Tells the backend that a key is in use, at most once a minute and without making the request wait for it. */
function reportUse(apiKeyId: Id<"apiKeys">, address: string | undefined): void {
  const now = Date.now();
  if (now - (reportedAt.get(apiKeyId) ?? 0) < MINUTE_MS) return;
  if (reportedAt.size >= REPORTED_KEYS_MAX) reportedAt.clear();
  reportedAt.set(apiKeyId, now);
  const use = { apiKeyId, ...defined({ address }) };
  mutateAs(SERVICE, api.callers.touch, use).catch((error: unknown) => logError("api-keys", error));
}
