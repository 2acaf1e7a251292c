import { defineTable } from "convex/server";
import { v } from "convex/values";

/**
 * Written by `model/ingest`, read by the ingest steps, the retention job and operators.
 *
 * webhookLogs: one row per verified delivery. Its body never changes; only `state`, the counters and the retention
 * fields do. `signedBy` names the secret that verified the body (`app` or an account id with `current`/`previous`).
 */
export const webhookTables = {
  webhookLogs: defineTable({
    /** Hex SHA-256 of the raw body. */
    sha256: v.string(),
    signedBy: v.string(),
    /** Accounts for which that secret is valid; a change for any other number is quarantined. */
    accountIds: v.array(v.id("accounts")),
    receivedAt: v.number(),
    bodyBytes: v.number(),
    state: v.union(v.literal("received"), v.literal("processed"), v.literal("partial"), v.literal("dead")),
    /** Why nothing, or not everything, could be applied. */
    reason: v.optional(v.string()),
    itemCount: v.number(),
    itemsDone: v.number(),
    itemsDead: v.number(),
    /** Raised when the reader learns more, so that dead rows of an older reader can be run again. */
    readerVersion: v.number(),
    bodyStored: v.boolean(),
    /** Set when the body was removed before its time because a person's data had to go (ms); the digest stays. */
    redactedAt: v.optional(v.number()),
  })
    .index("by_sha256", ["sha256", "signedBy", "receivedAt"])
    .index("by_body_age", ["bodyStored", "receivedAt"])
    .index("by_items_body_age", ["itemCount", "bodyStored", "receivedAt"])
    .index("by_state_age", ["state", "receivedAt"])
    .index("by_state_reader", ["state", "readerVersion"]),

  /** The raw bytes in pieces, because a document holds at most 1 MiB and a body may have 4 MiB. */
  webhookBodies: defineTable({
    logId: v.id("webhookLogs"),
    part: v.number(),
    bytes: v.bytes(),
  }).index("by_log", ["logId", "part"]),

  /** What became of each item of a body. A dead item keeps its reason, and its neighbours go on. */
  webhookItems: defineTable({
    logId: v.id("webhookLogs"),
    position: v.number(),
    accountId: v.optional(v.id("accounts")),
    /** Whom the item was about, so that the bodies that hold a person's words can be found. */
    contactId: v.optional(v.id("contacts")),
    kind: v.string(),
    state: v.union(v.literal("processed"), v.literal("duplicate"), v.literal("kept"), v.literal("dead")),
    reason: v.optional(v.string()),
  })
    .index("by_log", ["logId", "position"])
    .index("by_account", ["accountId"])
    .index("by_state", ["state"])
    .index("by_account_state", ["accountId", "state"])
    .index("by_contact", ["contactId"]),
};
