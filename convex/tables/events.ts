import { defineTable } from "convex/server";
import { v } from "convex/values";
import { EVENT_TYPES } from "#shared/domain/events";

export const eventType = v.union(...EVENT_TYPES.map((type) => v.literal(type)));

/**
 * Written by `model/events` (erasure empties the payload), read by forwarding, by the MCP backfill and by the dashboard's push.
 *
 * webhookEvents: one row per fact, written in the transaction of the fact and never changed. `eventId` is made from
 * account, type and `dedupeKey`, so a fact that is told twice is one row.
 *
 * accountSequences: the last number given, per account (no `conversationId`) and per conversation. Rows of their own,
 * because every subscription of an account reads the account's row.
 */
export const eventTables = {
  webhookEvents: defineTable({
    accountId: v.id("accounts"),
    eventId: v.string(),
    type: eventType,
    dedupeKey: v.string(),
    seq: v.number(),
    conversationId: v.optional(v.id("conversations")),
    conversationSeq: v.optional(v.number()),
    occurredAt: v.number(),
    /** The envelope, serialised once; every attempt and replay sends these very bytes. */
    body: v.string(),
  })
    .index("by_account_seq", ["accountId", "seq"])
    .index("by_conversation_seq", ["conversationId", "conversationSeq"])
    .index("by_account_conversation_seq", ["accountId", "conversationId", "seq"])
    .index("by_event_id", ["eventId"]),

  accountSequences: defineTable({
    accountId: v.id("accounts"),
    conversationId: v.optional(v.id("conversations")),
    eventSeq: v.number(),
  }).index("by_account_conversation", ["accountId", "conversationId"]),
};
