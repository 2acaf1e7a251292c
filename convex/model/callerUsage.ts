import { defined } from "#shared/defined";
import type { QueryCtx } from "../_generated/server";
import type { Caller } from "./identity";
import { readUsage } from "./rateLimits";

/** What a key is, which numbers it may use and how much of its limits is left. Numbers are in the order of the key. */
export async function readCaller(ctx: QueryCtx, caller: Caller) {
  const accounts = await Promise.all(caller.grantedAccountIds.map((accountId) => ctx.db.get(accountId)));
  const numbers = accounts
    .filter((account) => account !== null)
    .filter(({ state }) => state === "active")
    .map(({ name, phoneNumber, sending }) => ({
      name,
      phoneNumber,
      sending: sending?.state ?? ("active" as const),
    }));
  return {
    name: caller.name,
    scopes: [...caller.scopes],
    numbers,
    sends: await readUsage(ctx, caller.key),
    ...defined({ expiresAt: caller.key.expiresAt }),
  };
}
