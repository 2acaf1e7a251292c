import { v } from "convex/values";
import { defined } from "#shared/defined";
import type { Doc } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { confirmAfter, keyDirection } from "../tables/apiKeys";

export const keyMode = v.union(v.literal("live"), v.literal("test"));

/** A key as people see it: everything but the key. */
export const keyView = v.object({
  id: v.id("apiKeys"),
  name: v.string(),
  /** Enough to recognise the key in a list: `pons_live_…abcd`. */
  prefix: v.string(),
  mode: keyMode,
  scopes: v.array(v.string()),
  tools: v.optional(v.array(v.string())),
  direction: v.optional(keyDirection),
  confirmAfter,
  accountId: v.id("accounts"),
  numbers: v.array(v.string()),
  rpm: v.optional(v.number()),
  dailyCap: v.optional(v.number()),
  expiresAt: v.optional(v.number()),
  revokedAt: v.optional(v.number()),
  revokedReason: v.optional(v.string()),
  rotatedAt: v.optional(v.number()),
  /** Until when the key before the last rotation still works. */
  previousKeyUntil: v.optional(v.number()),
  /** User id of the member who made it; absent when the administrator did. */
  createdBy: v.optional(v.string()),
  createdAt: v.number(),
  lastUsedAt: v.optional(v.number()),
  lastUsedFrom: v.optional(v.string()),
});

/** The key as lists show it, with the numbers that it may use. */
export async function viewKey(ctx: QueryCtx, key: Doc<"apiKeys">) {
  const accounts = await Promise.all(key.grantedAccountIds.map((accountId) => ctx.db.get(accountId)));
  const { _id, name, mode, scopes, accountId } = key;
  const { tools, direction, expiresAt, revokedAt, revokedReason, rotatedAt, previousKeyUntil } = key;
  const { createdBy, lastUsedAt, lastUsedFrom, sendsPerMinute, sendsPerDay } = key;
  return {
    id: _id,
    name,
    prefix: `pons_${mode}_…${key.last4}`,
    mode,
    scopes,
    accountId,
    confirmAfter: key.confirmAfter ?? ("flagged" as const),
    numbers: accounts.flatMap((account) => (account === null ? [] : [account.phoneNumber])),
    createdAt: key._creationTime,
    ...defined({ rpm: sendsPerMinute, dailyCap: sendsPerDay, tools, direction, expiresAt, revokedAt }),
    ...defined({ revokedReason, rotatedAt, previousKeyUntil, createdBy, lastUsedAt, lastUsedFrom }),
  };
}
