import { defineTable } from "convex/server";
import { v } from "convex/values";

export const messageStatus = v.union(
  v.literal("received"),
  v.literal("queued"),
  v.literal("sending"),
  v.literal("sent"),
  v.literal("delivered"),
  v.literal("read"),
  v.literal("played"),
  v.literal("failed"),
  v.literal("unknown"),
);

/** What Meta reports about a message; the only values that the lattice knows. */
export const metaStatus = v.union(
  v.literal("sent"),
  v.literal("delivered"),
  v.literal("read"),
  v.literal("played"),
  v.literal("failed"),
);

/** Meta's own error of a failed status. */
export const statusError = v.object({ code: v.number(), message: v.string() });

/** The stored form of `StatusHistory` in `shared/domain/message-status`. */
export const statusHistory = v.object({
  sentAt: v.optional(v.number()),
  deliveredAt: v.optional(v.number()),
  readAt: v.optional(v.number()),
  playedAt: v.optional(v.number()),
  failedAt: v.optional(v.number()),
  error: v.optional(v.object({ ...statusError.fields, at: v.number() })),
});

/** What is shown of a failure: one of our codes (or Meta's number as text) and a safe sentence. */
export const messageError = v.object({ code: v.string(), message: v.string() });

export const reactionView = v.object({
  emoji: v.string(),
  from: v.union(v.literal("customer"), v.literal("business")),
});

export const messageMedia = v.object({
  state: v.union(v.literal("pending"), v.literal("ready"), v.literal("failed")),
  /** Meta's media id; from a webhook it lives for 7 days. */
  graphMediaId: v.string(),
  /** The public address that Meta fetched an outgoing file from; we keep no copy of it. */
  link: v.optional(v.string()),
  mime: v.optional(v.string()),
  filename: v.optional(v.string()),
  /** Set once the file is stored. */
  bytes: v.optional(v.number()),
  /** Held through `model/storedFiles`; an upload and several messages may share a file. */
  storageId: v.optional(v.id("_storage")),
  /** Base64, as Meta states it in the webhook. */
  sha256: v.optional(v.string()),
  /** Why it failed, as a code. */
  reason: v.optional(v.string()),
});

export const messageLocation = v.object({
  latitude: v.optional(v.number()),
  longitude: v.optional(v.number()),
  name: v.optional(v.string()),
  address: v.optional(v.string()),
  url: v.optional(v.string()),
});

/** A contact card that was shared. */
export const messageCard = v.object({
  name: v.optional(v.string()),
  phones: v.array(v.string()),
  company: v.optional(v.string()),
  emails: v.optional(v.array(v.string())),
});

/** A tap on a button or a list, or a filled form. */
export const messageInteractive = v.object({
  /** `button` for the button of a template, else Meta's word (`button_reply`, `list_reply`, `nfm_reply`). */
  kind: v.string(),
  /** The id or payload that the business gave to the choice. */
  id: v.optional(v.string()),
  title: v.optional(v.string()),
  description: v.optional(v.string()),
  /** What was filled in, as JSON text; may be ill-formed. */
  response: v.optional(v.string()),
});

export const messageOrder = v.object({
  catalogId: v.optional(v.string()),
  itemCount: v.number(),
  items: v.array(
    v.object({
      productId: v.optional(v.string()),
      quantity: v.optional(v.number()),
      price: v.optional(v.number()),
      currency: v.optional(v.string()),
    }),
  ),
});

/** The advertisement or post that the customer came from. */
export const messageReferral = v.object({
  sourceUrl: v.optional(v.string()),
  sourceId: v.optional(v.string()),
  sourceType: v.optional(v.string()),
  headline: v.optional(v.string()),
  body: v.optional(v.string()),
  mediaType: v.optional(v.string()),
  clickId: v.optional(v.string()),
});

/** The product of a catalogue that a question is about. */
export const messageProduct = v.object({
  catalogId: v.optional(v.string()),
  productId: v.optional(v.string()),
});

export const messageCall = v.object({
  state: v.union(v.literal("ringing"), v.literal("accepted"), v.literal("ended")),
  /** Meta's word for how it ended (`COMPLETED`, `FAILED`, `REJECTED`). */
  result: v.optional(v.string()),
  durationSeconds: v.optional(v.number()),
});

/** What Meta charges for a message, from the latest status that says so; `at` is that status's time. */
export const messagePricing = v.object({
  billable: v.optional(v.boolean()),
  model: v.optional(v.string()),
  type: v.optional(v.string()),
  category: v.optional(v.string()),
  /** Origin of the conversation that Meta counts the message to. */
  origin: v.optional(v.string()),
  at: v.number(),
});

/** What a message says. An edit replaces all of it, so these are the columns of an edit, too. */
const contentFields = {
  /** Meta's name of the type, also for types that are kept raw. */
  type: v.string(),
  text: v.optional(v.string()),
  caption: v.optional(v.string()),
  media: v.optional(messageMedia),
  location: v.optional(messageLocation),
  contacts: v.optional(v.array(messageCard)),
  interactive: v.optional(messageInteractive),
  order: v.optional(messageOrder),
  /** Meta's word for what a notice of WhatsApp is about (`user_changed_number`). */
  systemEvent: v.optional(v.string()),
  call: v.optional(messageCall),
  /** JSON text of what has no column of its own, so that a later version can still read it. */
  raw: v.optional(v.string()),
};

export const messageContent = v.object({
  ...contentFields,
  /** The line that stands for it in the list of conversations. */
  line: v.string(),
});

export const messageSender = v.object({
  kind: v.union(v.literal("customer"), v.literal("user"), v.literal("key"), v.literal("phone")),
  /** User id or API key id of the one who sent it from here. */
  id: v.optional(v.string()),
  name: v.optional(v.string()),
});

/**
 * Written by `model/messages` (ingest inserts inbound, the outbox inserts outbound, statuses patch), read by the
 * thread and the tools.
 *
 * messages: (account, wamid) is unique. `status` is a view: for outbound messages it is recomputed from the outbox
 * state and `statusHistory`, never simply overwritten by the event that arrived last.
 */
export const messageTables = {
  messages: defineTable({
    accountId: v.id("accounts"),
    conversationId: v.id("conversations"),
    contactId: v.id("contacts"),
    direction: v.union(v.literal("inbound"), v.literal("outbound")),
    ...contentFields,
    /** Absent on outbound messages until Meta has accepted them. */
    wamid: v.optional(v.string()),
    /** Everything of the message that a person might look for, as one text. */
    searchText: v.optional(v.string()),
    forwarded: v.optional(v.boolean()),
    referral: v.optional(messageReferral),
    product: v.optional(messageProduct),
    /** When the content above was written, if it is not the first one, and the id of that edit. */
    editedAt: v.optional(v.number()),
    editWamid: v.optional(v.string()),
    /** When its author took it back. The content stays for those who answer for the conversation. */
    revokedAt: v.optional(v.number()),
    pricing: v.optional(messagePricing),
    /** From before the number was connected: handed over once, tells of no new event. */
    imported: v.optional(v.boolean()),
    replyToWamid: v.optional(v.string()),
    /** What is shown on the message now; the history is in `reactions`. */
    reactions: v.array(reactionView),
    status: messageStatus,
    statusHistory,
    error: v.optional(messageError),
    /** Meta's clock for inbound, ours for outbound (ms). */
    timestamp: v.number(),
    /** `timestamp`, held back to the arrival time when a clock runs ahead; the thread's order. */
    sortAt: v.number(),
    seq: v.number(),
    /** The message reached us more than 8 days after Meta stamped it. */
    late: v.optional(v.boolean()),
    sender: messageSender,
    clientRequestId: v.optional(v.string()),
    /** Since when (ms) nobody knows whether WhatsApp has the message; only while that is so. */
    unknownSince: v.optional(v.number()),
    /** The failed or doubtful message that this one repeats, and the one that repeats this. */
    repeats: v.optional(v.id("messages")),
    repeatedBy: v.optional(v.id("messages")),
  })
    .index("by_account_wamid", ["accountId", "wamid"])
    .index("by_conversation_order", ["conversationId", "sortAt", "seq"])
    .index("by_conversation_direction", ["conversationId", "direction", "sortAt", "seq"])
    .searchIndex("search_text", {
      searchField: "searchText",
      filterFields: ["accountId", "conversationId"],
    }),

  /**
   * Every status that Meta reported, kept as history; unique by (account, wamid, status, timestamp). A row without
   * `messageId` is parked: its message is not known yet. It is joined when the message gets its wamid, or dropped
   * after `parkedUntil`.
   */
  messageStatuses: defineTable({
    accountId: v.id("accounts"),
    wamid: v.string(),
    messageId: v.optional(v.id("messages")),
    status: metaStatus,
    timestamp: v.number(),
    error: v.optional(statusError),
    callbackData: v.optional(v.string()),
    pricing: v.optional(messagePricing),
    /** End of the 72 hours that Meta does not charge for (ms). */
    freeEntryExpiresAt: v.optional(v.number()),
    parkedUntil: v.optional(v.number()),
  })
    .index("by_account_wamid_status", ["accountId", "wamid", "status", "timestamp"])
    .index("by_parked_until", ["parkedUntil"]),

  /**
   * Every reaction and removal, kept as history; unique by (account, wamid of the reaction). An empty emoji removes.
   * Kept apart from the target, because a reaction may arrive before the message that it points at; one whose message
   * never comes is dropped after `parkedUntil`.
   */
  reactions: defineTable({
    accountId: v.id("accounts"),
    wamid: v.string(),
    targetWamid: v.string(),
    from: v.union(v.literal("customer"), v.literal("business")),
    emoji: v.string(),
    timestamp: v.number(),
    /** From the history of the phone app: told to nobody. */
    imported: v.optional(v.boolean()),
    /** Until when it waits for its message (ms); absent once that is here. */
    parkedUntil: v.optional(v.number()),
  })
    .index("by_account_wamid", ["accountId", "wamid"])
    .index("by_account_target", ["accountId", "targetWamid", "timestamp"])
    .index("by_parked_until", ["parkedUntil"]),

  /**
   * Written by `model/revisions`, read by it and by whoever shows the history of a message. Every edit and every
   * revocation, kept with its content; unique by (account, wamid of the edit). Kept apart from the message, because it
   * may arrive before it; one whose message never comes is dropped after `parkedUntil`. With the first edit the message's own content is kept here as `original`, under the
   * message's wamid.
   */
  messageEdits: defineTable({
    accountId: v.id("accounts"),
    contactId: v.id("contacts"),
    wamid: v.string(),
    targetWamid: v.string(),
    kind: v.union(v.literal("original"), v.literal("edit"), v.literal("revoke")),
    from: v.union(v.literal("customer"), v.literal("business")),
    timestamp: v.number(),
    content: v.optional(messageContent),
    /** From the history of the phone app: told to nobody. */
    imported: v.optional(v.boolean()),
    /** Until when it waits for its message (ms); absent once that is here. */
    parkedUntil: v.optional(v.number()),
  })
    .index("by_account_wamid", ["accountId", "wamid"])
    .index("by_account_target", ["accountId", "targetWamid", "timestamp"])
    .index("by_parked_until", ["parkedUntil"])
    .index("by_contact", ["contactId"]),

  /**
   * Written and read by `model/calls`. What Meta told about a call, unique by (account, call, event, status, time);
   * the message that stands for the call in its thread is computed from all of it.
   */
  callEvents: defineTable({
    accountId: v.id("accounts"),
    callId: v.string(),
    event: v.string(),
    status: v.optional(v.string()),
    timestamp: v.number(),
    durationSeconds: v.optional(v.number()),
  }).index("by_account_call", ["accountId", "callId", "timestamp"]),

  /**
   * Work list of media downloads, written by `model/media`, read by its action and its sweeper. A row exists only
   * while the file is neither stored nor given up.
   */
  mediaJobs: defineTable({
    accountId: v.id("accounts"),
    messageId: v.id("messages"),
    attempt: v.number(),
    nextAttemptAt: v.number(),
  })
    .index("by_message", ["messageId"])
    .index("by_next_attempt", ["nextAttemptAt"]),
};
