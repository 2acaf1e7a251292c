import { SECOND_MS } from "#shared/time";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import type { Caller } from "./caller";
import { mutateAs } from "./convex";
import type { Identity } from "./identity";

const SERVICE: Identity = { use: "service" };

/** Requests that were granted but not made are given up after this, as the bucket behind them has refilled. */
const GRANT_KEPT_MS = 10 * SECOND_MS;

/** Callers whose grants this process remembers; forgetting one costs it a transaction and no request. */
const CALLERS_MAX = 10_000;

type Grant = { left: number; retryAt: number; endsAt: number };

const grants = new Map<string, Grant>();
const asking = new Map<string, Promise<Grant>>();

/**
 * Takes one request of the caller's minute. Returns 0, or how long to wait (ms) for the next one. The figure holds
 * over all processes: each asks the backend for a few requests at a time and spends them without asking again.
 * @throws BackendUnavailable when Convex does not answer
 */
export async function takeRequest({ principal, identity }: Caller): Promise<number> {
  for (;;) {
    const grant = usable(principal) ?? (await askOnce(principal, identity.apiKeyId));
    const waitMs = grant.retryAt - Date.now();
    if (waitMs > 0) return waitMs;
    // Others may have spent a grant while this request waited for it.
    if (grant.left === 0) continue;
    grant.left -= 1;
    return 0;
  }
}

function usable(principal: string): Grant | undefined {
  const grant = grants.get(principal);
  if (grant === undefined || grant.endsAt <= Date.now()) return undefined;
  return grant.left > 0 || grant.retryAt > Date.now() ? grant : undefined;
}

/** One question for all requests of a caller that arrive at the same moment. */
async function askOnce(principal: string, apiKeyId: Id<"apiKeys">): Promise<Grant> {
  const pending = asking.get(principal) ?? ask(principal, apiKeyId);
  asking.set(principal, pending);
  try {
    return await pending;
  } finally {
    if (asking.get(principal) === pending) asking.delete(principal);
  }
}

async function ask(principal: string, apiKeyId: Id<"apiKeys">): Promise<Grant> {
  const { granted, retryAfterMs } = await mutateAs(SERVICE, api.mcpCalls.take, { apiKeyId });
  const now = Date.now();
  const grant = {
    left: granted,
    retryAt: now + retryAfterMs,
    endsAt: now + Math.max(retryAfterMs, GRANT_KEPT_MS),
  };
  if (grants.size >= CALLERS_MAX) grants.clear();
  grants.set(principal, grant);
  return grant;
}
