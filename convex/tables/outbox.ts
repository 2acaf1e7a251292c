import { defineTable } from "convex/server";
import { v } from "convex/values";
import { messageError } from "./messages";
import { contactsContent, interactiveContent, locationContent, sendableMedia } from "./sendContent";

export const outboxState = v.union(
  v.literal("queued"),
  v.literal("claimed"),
  v.literal("dispatching"),
  v.literal("accepted"),
  v.literal("rejected"),
  v.literal("unknown"),
  v.literal("markedSent"),
  v.literal("cancelled"),
);

const address = {
  /** Exactly one of the two addresses: E.164 with plus, or a business-scoped user id. */
  to: v.optional(v.string()),
  recipient: v.optional(v.string()),
};
const quoting = { ...address, replyToWamid: v.optional(v.string()) };

/** What will be sent, frozen at enqueue, so that a retry sends the same bytes. */
export const outboxPayload = v.union(
  v.object({
    type: v.literal("text"),
    ...quoting,
    text: v.string(),
    previewUrl: v.optional(v.boolean()),
  }),
  v.object({
    type: v.literal("template"),
    ...quoting,
    name: v.string(),
    language: v.string(),
    /** Whether the customer's wish about promotion applies; asked again when the send leaves. */
    purpose: v.union(v.literal("marketing"), v.literal("service")),
    /** JSON text of the filled components, in Meta's own shape. */
    components: v.string(),
    /** The text as the customer will read it. */
    text: v.string(),
  }),
  v.object({
    type: v.literal("media"),
    ...quoting,
    media: sendableMedia,
    /** Exactly one of the three: a file that Meta has, a link to fetch it from, or a file that was uploaded here. */
    graphMediaId: v.optional(v.string()),
    link: v.optional(v.string()),
    uploadId: v.optional(v.id("uploads")),
    caption: v.optional(v.string()),
    filename: v.optional(v.string()),
    voice: v.optional(v.boolean()),
  }),
  v.object({ type: v.literal("interactive"), ...quoting, interactive: interactiveContent }),
  v.object({ type: v.literal("location"), ...quoting, location: locationContent }),
  v.object({ type: v.literal("contacts"), ...quoting, contacts: contactsContent }),
  v.object({
    type: v.literal("reaction"),
    ...address,
    targetWamid: v.string(),
    /** Empty takes an earlier reaction back. */
    emoji: v.string(),
  }),
);

/**
 * Written by `model/outbox`, read by the deliver action and the sweeper.
 *
 * outbox: one row per outgoing message or reaction. `open` rows form the conversation's lane: only the open row with
 * the lowest `seq` may go to Meta. docs/decisions/0007-claim-settle-outbox.md draws the machine.
 */
export const outboxTables = {
  outbox: defineTable({
    accountId: v.id("accounts"),
    conversationId: v.id("conversations"),
    /** The message that this send is. A reaction is none: it is shown on the message that it points at. */
    messageId: v.optional(v.id("messages")),
    seq: v.number(),
    state: outboxState,
    open: v.boolean(),
    payload: outboxPayload,
    /** The API key that asked for it; a key revoked meanwhile stops its waiting sends. */
    apiKeyId: v.optional(v.id("apiKeys")),
    /** Claims so far; also the attempt number in the callback data. */
    attempt: v.number(),
    claimToken: v.optional(v.string()),
    /**
     * When the machine has to look at this row again (ms): end of back-off, of the lease, or of the lane hold. Rows
     * that wait behind another of their lane are due never, and the one before them sets it when it is done; so are
     * rows of a paused account, which `wakeAccount` starts.
     */
    dueAt: v.number(),
    /** The attempt that has its share of the rates already; it only waits for its time. */
    turnTaken: v.optional(v.number()),
    wamid: v.optional(v.string()),
    error: v.optional(messageError),
    /** What the last attempt met, as a code for operators (`timeout`, `graph_131047`). */
    reason: v.optional(v.string()),
    unknownSince: v.optional(v.number()),
    enqueuedAt: v.number(),
  })
    .index("by_lane", ["conversationId", "open", "seq"])
    .index("by_open_due", ["open", "dueAt"])
    .index("by_account_open_due", ["accountId", "open", "dueAt"])
    .index("by_message", ["messageId"]),

  /** Written by `model/pace`, read at each claim. One row per number that Meta once refused for its rate. */
  numberPauses: defineTable({
    accountId: v.id("accounts"),
    /** End of the pause (ms); in the past, it is over. */
    until: v.number(),
    /** Pauses in a row. */
    strikes: v.number(),
  }).index("by_account", ["accountId"]),

  /**
   * One row per accepted send, for the idempotency key and for the near-duplicate guard. (account, principal,
   * clientRequestId) is unique where a key was given. Dropped after `expiresAt`, but never while the outcome is open.
   */
  sendRequests: defineTable({
    accountId: v.id("accounts"),
    conversationId: v.id("conversations"),
    outboxId: v.id("outbox"),
    /** The message that was made, or for a reaction the message that it points at. */
    messageId: v.id("messages"),
    principal: v.string(),
    clientRequestId: v.optional(v.string()),
    requestHash: v.string(),
    contentHash: v.string(),
    at: v.number(),
    expiresAt: v.number(),
  })
    .index("by_principal_request", ["accountId", "principal", "clientRequestId"])
    .index("by_principal_content", ["conversationId", "principal", "contentHash", "at"])
    .index("by_outbox", ["outboxId"])
    .index("by_expires_at", ["expiresAt"]),
};
