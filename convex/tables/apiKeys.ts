import { defineTable } from "convex/server";
import { v } from "convex/values";

/**
 * Written by `model/apiKeys`, read by the caller builders in `functions.ts`, by `callers` and by `keysAdmin`.
 *
 * apiKeys: the key itself is never stored; `keyHash` is its HMAC under the pepper that `pepperId` names.
 */
export const apiKeyTables = {
  apiKeys: defineTable({
    name: v.string(),
    /** The account that the key was made for. */
    accountId: v.id("accounts"),
    /** Every account (business number) that the key may use; contains `accountId` unless it was narrowed away. */
    grantedAccountIds: v.array(v.id("accounts")),
    scopes: v.array(v.string()),
    mode: v.union(v.literal("live"), v.literal("test")),
    keyHash: v.string(),
    pepperId: v.string(),
    /** Last four characters, so that a person recognises the key in a list. */
    last4: v.string(),
    /** Sends per minute and per UTC day; absent = the default of `model/policy`. */
    sendsPerMinute: v.optional(v.number()),
    sendsPerDay: v.optional(v.number()),
    expiresAt: v.optional(v.number()),
    /** Set by a person, or by the scheduled expiry: queries have no clock, so expiry must be a fact in the row. */
    revokedAt: v.optional(v.number()),
    revokedReason: v.optional(v.union(v.literal("revoked"), v.literal("expired"))),
    lastUsedAt: v.optional(v.number()),
  })
    .index("by_key_hash", ["keyHash"])
    .index("by_account", ["accountId"]),
};
