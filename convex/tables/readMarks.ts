import { defineTable } from "convex/server";
import { v } from "convex/values";

/**
 * Written by `model/readMarks`, read by its action and its sweeper.
 *
 * readMarks: at most one row per conversation: what WhatsApp is to be told about what the business has read. `open`
 * rows are work; the others remember what was told, so that nothing is told twice.
 */
export const readMarkTables = {
  readMarks: defineTable({
    accountId: v.id("accounts"),
    conversationId: v.id("conversations"),
    /** The customer's newest message when it was asked for; WhatsApp marks the earlier ones with it. */
    wamid: v.string(),
    typing: v.boolean(),
    askedAt: v.number(),
    open: v.boolean(),
    attempt: v.number(),
    claimToken: v.optional(v.string()),
    /** When the machine has to look at this row again (ms): end of back-off or of the lease. */
    dueAt: v.number(),
    /** The newest message that WhatsApp was told of, and until when (ms) the phone shows that somebody types. */
    markedWamid: v.optional(v.string()),
    typingUntil: v.optional(v.number()),
  })
    .index("by_conversation", ["conversationId"])
    .index("by_open_due", ["open", "dueAt"]),
};
