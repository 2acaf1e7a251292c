import { defineTable } from "convex/server";
import { v } from "convex/values";

/** A resource that a session wants to hear about, and the place in each account's events from which on. */
export const mcpSubscription = v.object({
  uri: v.string(),
  accounts: v.array(v.object({ accountId: v.id("accounts"), seq: v.number() })),
});

/**
 * Written by `model/mcpSessions`, read by the stream of the session in whichever process holds it.
 *
 * mcpSessions: sessions of MCP clients of 2025 that subscribed to something or said goodbye. The id is signed by the
 * app, so a session that did neither needs no row. Dropped after `expiresAt`.
 */
export const mcpSessionTables = {
  mcpSessions: defineTable({
    sessionId: v.string(),
    /** The holder, as in the audit log: `key:<id>`. */
    principal: v.string(),
    subscriptions: v.array(mcpSubscription),
    endedAt: v.optional(v.number()),
    expiresAt: v.number(),
  })
    .index("by_session", ["sessionId"])
    .index("by_expires_at", ["expiresAt"]),
};
