import { defineTable } from "convex/server";
import { v } from "convex/values";

/**
 * Written by `model/handoffs`, read by the dashboard beside the conversation.
 *
 * handoffs: an agent gave a conversation to people, with its reason and a summary for the person who takes it. The text
 * is the agent's and may repeat what the customer wrote.
 */
export const handoffTables = {
  handoffs: defineTable({
    accountId: v.id("accounts"),
    conversationId: v.id("conversations"),
    /** `key:<id>`. */
    by: v.string(),
    reason: v.string(),
    summary: v.optional(v.string()),
    at: v.number(),
  })
    .index("by_conversation", ["conversationId", "at"])
    .index("by_account", ["accountId"]),
};
