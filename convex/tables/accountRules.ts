import { defineTable } from "convex/server";
import { v } from "convex/values";
import { CONVERSATION_MODES } from "#shared/domain/conversation-mode";

export const conversationMode = v.union(...CONVERSATION_MODES.map((mode) => v.literal(mode)));

/** How long things are kept, in days. A missing field means the deployment's default. */
export const retentionRules = v.object({
  /** Raw webhook bodies; 0 = removed as soon as they are processed. */
  rawBodyDays: v.optional(v.number()),
  auditDays: v.optional(v.number()),
  /** Events of the sequence that streams and forwarding read. */
  eventDays: v.optional(v.number()),
});

/**
 * Written by `model/accountRules`, read by consent, conversation modes and retention. At most one row per account, apart
 * from the account's own row, which every subscription reads and which must therefore seldom change.
 */
export const accountRulesTables = {
  accountRules: defineTable({
    accountId: v.id("accounts"),
    /** Words beside those of every account that end or begin consent to marketing as a whole message. */
    optOutWords: v.optional(v.array(v.string())),
    optInWords: v.optional(v.array(v.string())),
    /** Mode of new conversations; absent = agent. */
    defaultMode: v.optional(conversationMode),
    /** Whether a member who writes takes the conversation over from agents. */
    memberReplyTakesOver: v.optional(v.boolean()),
    /** Minutes after which a conversation that a person took over goes back to agents; absent = never. */
    handBackMinutes: v.optional(v.number()),
    /** Whether a member's look at a conversation is told to the customer as read; absent = no. */
    sendsReadReceipts: v.optional(v.boolean()),
    retention: v.optional(retentionRules),
  }).index("by_account", ["accountId"]),
};
