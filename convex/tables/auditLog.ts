import { defineTable } from "convex/server";
import { v } from "convex/values";

/**
 * Written by `model/audit`, read by operators. Append only: who asked for what, and what was answered. Ids and codes,
 * never texts, tokens or keys.
 */
export const auditTables = {
  auditLog: defineTable({
    accountId: v.optional(v.id("accounts")),
    /** `user:<id>`, `key:<id>` or `admin`. */
    principal: v.string(),
    action: v.string(),
    outcome: v.string(),
    /** Id of the row that the action was about. */
    subject: v.optional(v.string()),
    /** Of a tool call: a keyed digest of its arguments, and how long it took. */
    argumentHash: v.optional(v.string()),
    ms: v.optional(v.number()),
    at: v.number(),
  })
    .index("by_account_at", ["accountId", "at"])
    .index("by_at", ["at"]),
};
