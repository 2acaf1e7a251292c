import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";

/** What an account has decided for itself; every field that is missing means the default. */
export type AccountRules = Omit<Doc<"accountRules">, "_id" | "_creationTime" | "accountId">;

/** The rules of an account; empty when it never changed any. */
export async function readAccountRules(ctx: QueryCtx, accountId: Id<"accounts">): Promise<AccountRules> {
  const row = await ctx.db
    .query("accountRules")
    .withIndex("by_account", (q) => q.eq("accountId", accountId))
    .unique();
  return row ?? {};
}
