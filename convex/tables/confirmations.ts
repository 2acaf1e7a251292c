import { defineTable } from "convex/server";
import { v } from "convex/values";

/** What a person made of a question: dismissed is everything that is neither a yes nor a no. */
export const confirmationAnswer = v.union(
  v.literal("accepted"),
  v.literal("declined"),
  v.literal("dismissed"),
);

/**
 * What the rule about confirmation rests on (docs/decisions/0013-confirmation-after-flagged-content.md).
 *
 * flaggedReads: written by `model/flaggedReads`, read by `model/confirmations`. One row for each key and customer whose
 * text speaks to machines and was shown to the key. Dropped after `expiresAt`.
 */
export const confirmationTables = {
  flaggedReads: defineTable({
    apiKeyId: v.id("apiKeys"),
    accountId: v.id("accounts"),
    contactId: v.id("contacts"),
    /** When such a text was shown last (ms). */
    shownAt: v.number(),
    /** When one was shown last that had not been shown before; a confirmation older than this is none any more. */
    newAt: v.number(),
    /** Digests of the texts that were shown, the newest first. */
    textHashes: v.array(v.string()),
    expiresAt: v.number(),
  })
    .index("by_key_contact", ["apiKeyId", "contactId"])
    .index("by_key_shown", ["apiKeyId", "shownAt"])
    .index("by_key_new", ["apiKeyId", "newAt"])
    .index("by_contact", ["contactId"])
    .index("by_account", ["accountId"])
    .index("by_expires_at", ["expiresAt"]),

  /**
   * Written by `model/confirmations`, read by it and by the request that waits for a person's answer. One row for each
   * send that a person was or is asked about. Dropped after `expiresAt`.
   */
  sendConfirmations: defineTable({
    apiKeyId: v.id("apiKeys"),
    accountId: v.id("accounts"),
    /** Id of the contact, or the phone number of somebody who never wrote. */
    recipient: v.string(),
    contentHash: v.string(),
    /** What the person said, where the client asked them; an agent that brings the token has no answer here. */
    answer: v.optional(confirmationAnswer),
    /** When the send that it allowed was taken (ms); from then on it is used up. */
    usedAt: v.optional(v.number()),
    expiresAt: v.number(),
  })
    .index("by_key_used", ["apiKeyId", "usedAt"])
    .index("by_key_recipient_used", ["apiKeyId", "recipient", "usedAt"])
    .index("by_recipient", ["recipient"])
    .index("by_account", ["accountId"])
    .index("by_expires_at", ["expiresAt"]),
};
