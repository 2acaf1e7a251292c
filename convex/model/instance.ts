import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { fail } from "./errors";

/** Accounts that may wait for the first owner: those that the administrator added before anybody signed up. */
const OWNERLESS_ACCOUNTS_MAX = 500;

/** The row that says who owns the deployment, or null while nobody does. */
export async function findInstance(ctx: QueryCtx): Promise<Doc<"instance"> | null> {
  return await ctx.db
    .query("instance")
    .withIndex("by_key", (q) => q.eq("key", "instance"))
    .unique();
}

/**
 * Makes the user the owner of the deployment, once. A repeated claim by the same user changes nothing, so that a lost
 * answer can be asked for again. Throws `already_claimed` for anybody else.
 */
export async function claimInstance(ctx: MutationCtx, userId: string, now: number): Promise<void> {
  if (userId === "") fail("invalid_request");
  const instance = await findInstance(ctx);
  if (instance !== null && instance.ownerUserId !== userId) fail("already_claimed");
  if (instance === null) {
    await ctx.db.insert("instance", { key: "instance", ownerUserId: userId, claimedAt: now });
  }
  const ownerless = await ctx.db
    .query("accounts")
    .withIndex("by_has_owner", (q) => q.eq("hasOwner", false))
    .take(OWNERLESS_ACCOUNTS_MAX);
  for (const account of ownerless) await giveOwner(ctx, account._id, userId);
}

/** Makes the user an owner of the account, also when they were a plain member before. */
export async function giveOwner(ctx: MutationCtx, accountId: Id<"accounts">, userId: string): Promise<void> {
  const member = await ctx.db
    .query("accountMembers")
    .withIndex("by_account_user", (q) => q.eq("accountId", accountId).eq("userId", userId))
    .unique();
  if (member === null) await ctx.db.insert("accountMembers", { accountId, userId, role: "owner" });
  else await ctx.db.patch(member._id, { role: "owner" });
  await ctx.db.patch(accountId, { hasOwner: true });
}
