import { defineTable } from "convex/server";
import { v } from "convex/values";
import { conversationMode } from "./accountRules";

export const previewStatus = v.union(
  v.literal("queued"),
  v.literal("sending"),
  v.literal("sent"),
  v.literal("delivered"),
  v.literal("read"),
  v.literal("played"),
  v.literal("failed"),
  v.literal("unknown"),
);

/**
 * Written by `model/conversations` (called by ingest and the outbox), read by the conversation list and the tools.
 *
 * conversations: one per contact of an account. The row is the list's line, so a list never reads messages.
 */
export const conversationTables = {
  conversations: defineTable({
    accountId: v.id("accounts"),
    contactId: v.id("contacts"),
    /** Sequence number of the next message; breaks ties between messages of one second. */
    nextSeq: v.number(),
    /** Messages from the customer so far; unread = this minus what a member has seen. */
    inboundCount: v.number(),
    /** First characters of the newest message. */
    preview: v.string(),
    previewMessageId: v.optional(v.id("messages")),
    /** Set when the newest message is ours. */
    previewStatus: v.optional(previewStatus),
    /** Sort time (ms) of the newest message. */
    lastMessageAt: v.number(),
    /** Latest customer message + 24 h, by Meta's clock (ms). Only ever moves forward. */
    windowExpiresAt: v.optional(v.number()),
    /** What moved the window to where it ends now. */
    windowSource: v.optional(
      v.object({
        wamid: v.string(),
        kind: v.union(v.literal("message"), v.literal("reaction"), v.literal("call")),
      }),
    ),
    /** End of the 72 hours after an advertisement in which Meta charges nothing (ms). It does not widen the window. */
    freeEntryExpiresAt: v.optional(v.number()),
    /** When the customer last came from an advertisement or a post (ms). */
    referredAt: v.optional(v.number()),
    archived: v.boolean(),
    archivedAt: v.optional(v.number()),
    /** Sort time (ms) of the oldest message of the customer that nobody answered; absent when nobody waits. */
    unansweredSince: v.optional(v.number()),
    /** Who writes here, by `shared/domain/conversation-mode`; absent = agent. Written by `model/modes`. */
    mode: v.optional(conversationMode),
    /** When the conversation goes back to agents by itself (ms); set only in mode human. */
    handBackAt: v.optional(v.number()),
  })
    .index("by_account_contact", ["accountId", "contactId"])
    .index("by_account_archived_activity", ["accountId", "archived", "lastMessageAt"])
    .index("by_account_archived_unanswered", ["accountId", "archived", "unansweredSince"]),

  /** How far one member has read. Written by that member's own view only, so nobody clears another's counter. */
  conversationSeen: defineTable({
    conversationId: v.id("conversations"),
    userId: v.string(),
    inboundCountSeen: v.number(),
    seenAt: v.number(),
  }).index("by_conversation_user", ["conversationId", "userId"]),
};
