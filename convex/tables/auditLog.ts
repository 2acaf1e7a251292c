import { defineTable } from "convex/server";
import { v } from "convex/values";

/**
 * Written by `model/audit`, read by admins and by the check of the chain. Append only: who asked for what, with which
 * credential, and what was answered. Ids, codes and digests, never texts, tokens or keys.
 */
export const auditTables = {
  auditLog: defineTable({
    accountId: v.optional(v.id("accounts")),
    /** The account's id, or `deployment` for what concerns none. */
    chain: v.string(),
    /** 1, 2, 3 ... within the chain; `hash` covers the line and the hash before it (`shared/domain/audit-chain`). */
    seq: v.number(),
    prevHash: v.string(),
    hash: v.string(),
    /** `user:<id>`, `key:<id>`, `admin` or `system`. */
    principal: v.string(),
    action: v.string(),
    outcome: v.string(),
    /** Name of the tool through which it was asked. */
    tool: v.optional(v.string()),
    /** Of a tool call: a keyed digest of its arguments. */
    argumentHash: v.optional(v.string()),
    /** Id of the row that the action was about. */
    subject: v.optional(v.string()),
    /** Id of the contact or conversation that it concerned. */
    target: v.optional(v.string()),
    /** Of the outcome `refused`: why, as a reason of the registry. Only so many of an hour are written (`model/refusalLog`). */
    reason: v.optional(v.string()),
    /** How long it took. */
    ms: v.optional(v.number()),
    salt: v.optional(v.string()),
    /** Digests that stand in for fields which erasure took out. */
    redacted: v.optional(v.record(v.string(), v.string())),
    at: v.number(),
  })
    .index("by_chain_seq", ["chain", "seq"])
    .index("by_chain_subject", ["chain", "subject"])
    .index("by_chain_target", ["chain", "target"]),

  /**
   * One row per chain: where its last line stands, and where its first one begins. Retention moves the anchor to the
   * last line that it removed, so that the rest can still be checked.
   */
  auditChains: defineTable({
    chain: v.string(),
    seq: v.number(),
    hash: v.string(),
    anchorSeq: v.number(),
    anchorHash: v.string(),
    /** When the oldest line that is left was written (ms), so that retention need not read it. */
    oldestAt: v.number(),
  }).index("by_chain", ["chain"]),
};
