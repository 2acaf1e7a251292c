import { defineTable } from "convex/server";
import { v } from "convex/values";

/** Which way a key works: it reads what customers wrote, or it writes to them. Absent = both. */
export const keyDirection = v.union(v.literal("inbound"), v.literal("outbound"));

/**
 * What has to be read before the first send to somebody else must be confirmed by a person: texts that speak to
 * machines, every text of a customer, or nothing (no send has to be confirmed).
 */
export const confirmAfter = v.union(v.literal("flagged"), v.literal("everything"), v.literal("nothing"));

/**
 * Written by `model/apiKeys` and `model/keyChanges`, read by the caller builders in `functions.ts`, by `callers` and by `keysAdmin`.
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
    /** MCP tools that the key may call; absent = every tool that its scopes allow. */
    tools: v.optional(v.array(v.string())),
    direction: v.optional(keyDirection),
    /** Absent = "flagged". */
    confirmAfter: v.optional(confirmAfter),
    mode: v.union(v.literal("live"), v.literal("test")),
    keyHash: v.string(),
    pepperId: v.string(),
    /** Last four characters, so that a person recognises the key in a list. */
    last4: v.string(),
    /** Sends per minute and per UTC day; absent = the default of `model/policy`. */
    sendsPerMinute: v.optional(v.number()),
    sendsPerDay: v.optional(v.number()),
    /** The key before the last rotation, which still works until `previousKeyUntil` (ms). */
    previousKeyHash: v.optional(v.string()),
    previousPepperId: v.optional(v.string()),
    previousKeyUntil: v.optional(v.number()),
    rotatedAt: v.optional(v.number()),
    /** The member who made it; absent when the administrator did. Their removal ends it. */
    createdBy: v.optional(v.string()),
    expiresAt: v.optional(v.number()),
    /** Set by a person, or by the scheduled expiry: queries have no clock, so expiry must be a fact in the row. */
    revokedAt: v.optional(v.number()),
    revokedReason: v.optional(
      v.union(v.literal("revoked"), v.literal("expired"), v.literal("member_removed")),
    ),
    lastUsedAt: v.optional(v.number()),
    /** Address that the last use came from, where the server knows it. */
    lastUsedFrom: v.optional(v.string()),
  })
    .index("by_key_hash", ["keyHash"])
    .index("by_previous_key_hash", ["previousKeyHash"])
    .index("by_creator", ["createdBy", "revokedAt"])
    .index("by_account", ["accountId"]),
};
