import { defined } from "#shared/defined";
import type { QueryCtx } from "../_generated/server";
import type { Caller } from "./identity";
import { readUsage } from "./rateLimits";

/** What a key is, which numbers it may use and how much of its limits is left. */
export async function readCaller(ctx: QueryCtx, caller: Caller) {
  return {
    name: caller.name,
    scopes: [...caller.scopes],
    numbers: await readNumbers(ctx, caller),
    sends: await readUsage(ctx, caller.key),
    confirmAfter: caller.key.confirmAfter ?? ("flagged" as const),
    ...defined({ expiresAt: caller.key.expiresAt }),
  };
}

/** The business numbers that a key may use now, in the order of the key. */
export async function readNumbers(ctx: QueryCtx, caller: Caller) {
  const accounts = await Promise.all(caller.grantedAccountIds.map((accountId) => ctx.db.get(accountId)));
  return accounts
    .filter((account) => account !== null)
    .filter(({ state }) => state === "active")
    .map(({ name, phoneNumber, sending, number }) => ({
      name,
      phoneNumber,
      sending: sending?.state ?? ("active" as const),
      ...defined({ pausedFor: sending?.reason, quality: number?.quality }),
    }));
}
