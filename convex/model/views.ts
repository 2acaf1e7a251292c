import { v } from "convex/values";
import { defined } from "#shared/defined";
import { REFUSAL_REASONS } from "#shared/errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { conversationMode } from "../tables/accountRules";
import { accountRole } from "../tables/accounts";
import { previewStatus } from "../tables/conversations";
import {
  messageCall,
  messageCard,
  messageError,
  messageInteractive,
  messageLocation,
  messageOrder,
  messagePricing,
  messageProduct,
  messageReferral,
  messageStatus,
  reactionView,
} from "../tables/messages";
import { contactName } from "./contactName";
import type { MediaLinker } from "./mediaLinks";
import { messagePreview } from "./messages";

/** What leaves the backend. Every door returns one of these shapes, so no stored field gets out by accident. */

export const accountView = v.object({
  _id: v.id("accounts"),
  name: v.string(),
  phoneNumber: v.string(),
  phoneNumberId: v.string(),
  wabaId: v.string(),
  role: accountRole,
  unreadCount: v.number(),
});

export const contactView = v.object({
  _id: v.id("contacts"),
  name: v.string(),
  phone: v.optional(v.string()),
  username: v.optional(v.string()),
  waId: v.optional(v.string()),
  userId: v.optional(v.string()),
});

const conversationFields = {
  _id: v.id("conversations"),
  accountId: v.id("accounts"),
  contact: contactView,
  preview: v.string(),
  previewStatus: v.optional(previewStatus),
  lastMessageAt: v.number(),
  windowExpiresAt: v.optional(v.number()),
  /** Until when Meta charges nothing, because the customer came from an advertisement. */
  freeEntryExpiresAt: v.optional(v.number()),
  archivedAt: v.optional(v.number()),
  /** Since when the customer waits for an answer (ms). */
  unansweredSince: v.optional(v.number()),
  /** Who writes here; absent = agent. */
  mode: v.optional(conversationMode),
  /** When the conversation goes back to agents by itself (ms). */
  handBackAt: v.optional(v.number()),
};

/** A conversation as a key sees it: a key reads on nobody's behalf, so nothing is unread for it. */
export const callerConversationView = v.object(conversationFields);

/** A conversation as one member sees it. */
export const conversationView = v.object({ ...conversationFields, unreadCount: v.number() });

export const messageView = v.object({
  _id: v.id("messages"),
  direction: v.union(v.literal("inbound"), v.literal("outbound")),
  type: v.string(),
  text: v.optional(v.string()),
  caption: v.optional(v.string()),
  media: v.optional(
    v.object({
      state: v.union(v.literal("pending"), v.literal("ready"), v.literal("failed")),
      mime: v.optional(v.string()),
      filename: v.optional(v.string()),
      bytes: v.optional(v.number()),
      url: v.optional(v.string()),
      /** The public address of a file that was sent by link. */
      link: v.optional(v.string()),
    }),
  ),
  reactions: v.array(reactionView),
  replyTo: v.optional(v.object({ wamid: v.string(), preview: v.optional(v.string()) })),
  status: messageStatus,
  error: v.optional(messageError),
  timestamp: v.number(),
  wamid: v.optional(v.string()),
  clientRequestId: v.optional(v.string()),
  /** Since when nobody knows whether WhatsApp has it (ms); two minutes later a person may decide. */
  unknownSince: v.optional(v.number()),
  repeats: v.optional(v.id("messages")),
  repeatedBy: v.optional(v.id("messages")),
  sender: v.object({
    kind: v.union(v.literal("customer"), v.literal("user"), v.literal("key"), v.literal("phone")),
    name: v.optional(v.string()),
  }),
  location: v.optional(messageLocation),
  contacts: v.optional(v.array(messageCard)),
  interactive: v.optional(messageInteractive),
  order: v.optional(messageOrder),
  call: v.optional(messageCall),
  /** Meta's word for what a notice of WhatsApp is about. */
  systemEvent: v.optional(v.string()),
  referral: v.optional(messageReferral),
  product: v.optional(messageProduct),
  forwarded: v.optional(v.boolean()),
  /** When the content above was written, if its author changed it. */
  editedAt: v.optional(v.number()),
  /** When its author took it back; the content is still here for those who answer for the conversation. */
  revokedAt: v.optional(v.number()),
  pricing: v.optional(messagePricing),
  /** From before the number was connected. */
  imported: v.optional(v.boolean()),
  /** Meta's name of a type that is kept raw and shown as "unsupported". */
  unsupportedType: v.optional(v.string()),
});

export const refusalView = v.object({
  refused: v.literal(true),
  reason: v.union(...REFUSAL_REASONS.map((reason) => v.literal(reason))),
  message: v.string(),
  retry_after_seconds: v.optional(v.number()),
  next_step: v.optional(v.string()),
  /** The earlier message, when the same one went out a moment ago. */
  message_id: v.optional(v.id("messages")),
  /** Templates that could be sent, the most likely one first. */
  templates: v.optional(
    v.array(
      v.object({ name: v.string(), language: v.string(), category: v.string(), paramCount: v.number() }),
    ),
  ),
  /** What a person has to be asked before this send is taken. */
  confirm: v.optional(
    v.object({
      token: v.string(),
      expiresAt: v.number(),
      from: v.string(),
      recipient: v.string(),
      name: v.optional(v.string()),
      text: v.string(),
    }),
  ),
});

/** Every send answers one of these: on its way (its status tells how it went), would be taken, or refused. */
export const sendView = v.union(
  v.object({
    outcome: v.literal("pending"),
    /** The message that was made, or for a reaction the message that it points at. */
    messageId: v.id("messages"),
    conversationId: v.id("conversations"),
    sendId: v.id("outbox"),
  }),
  v.object({
    valid: v.literal(true),
    /** Absent for a number that never wrote. */
    conversationId: v.optional(v.id("conversations")),
    windowExpiresAt: v.optional(v.number()),
  }),
  refusalView,
);

/** The customer's messages are marked as read, or will be. */
export const readView = v.union(
  v.object({
    outcome: v.union(v.literal("accepted"), v.literal("pending")),
    /** The customer's newest message. */
    messageId: v.id("messages"),
  }),
  refusalView,
);

/** How a send went. */
export const sendOutcomeView = v.object({
  outcome: v.union(v.literal("accepted"), v.literal("pending"), v.literal("rejected"), v.literal("unknown")),
  message_id: v.id("messages"),
  wamid: v.optional(v.string()),
  error: v.optional(v.object({ code: v.string(), message: v.string() })),
});

/** A contact as doors return it. */
export function viewContact(contact: Doc<"contacts">) {
  const { _id, phone, username, waId, userId } = contact;
  return { _id, name: contactName(contact), ...defined({ phone, username, waId, userId }) };
}

/** The conversation with its contact; the contact exists as long as its conversation does. */
export async function viewConversation(ctx: QueryCtx, conversation: Doc<"conversations">) {
  const contact = await ctx.db.get(conversation.contactId);
  if (contact === null) throw new Error(`Conversation ${conversation._id} has lost its contact.`);
  const { previewStatus, windowExpiresAt, freeEntryExpiresAt, archivedAt, mode, handBackAt } = conversation;
  const { unansweredSince } = conversation;
  return {
    _id: conversation._id,
    accountId: conversation.accountId,
    contact: viewContact(contact),
    preview: conversation.preview,
    lastMessageAt: conversation.lastMessageAt,
    ...defined({
      previewStatus,
      windowExpiresAt,
      freeEntryExpiresAt,
      archivedAt,
      unansweredSince,
      mode,
      handBackAt,
    }),
  };
}

/** Messages that the member has not looked at yet. */
export async function countUnread(
  ctx: QueryCtx,
  conversation: Doc<"conversations">,
  userId: string,
): Promise<number> {
  const seen = await ctx.db
    .query("conversationSeen")
    .withIndex("by_conversation_user", (q) => q.eq("conversationId", conversation._id).eq("userId", userId))
    .unique();
  return Math.max(0, conversation.inboundCount - (seen?.inboundCountSeen ?? 0));
}

export async function viewConversationFor(ctx: QueryCtx, conversation: Doc<"conversations">, userId: string) {
  const view = await viewConversation(ctx, conversation);
  return { ...view, unreadCount: await countUnread(ctx, conversation, userId) };
}

/** Types that the dashboard draws; every other type is shown by its name only. */
const SHOWN_TYPES: ReadonlySet<string> = new Set([
  "text",
  "template",
  "button",
  "interactive",
  "image",
  "video",
  "audio",
  "voice",
  "document",
  "sticker",
  "location",
  "contacts",
  "order",
]);

/**
 * A message as doors return it. `links` makes the link to its file for the member who reads; a tool asks for one when
 * it needs it.
 */
export async function viewMessage(
  ctx: QueryCtx,
  message: Doc<"messages">,
  options: { links?: MediaLinker } = {},
) {
  const { _id, direction, type, reactions, status, timestamp } = message;
  const { text, caption, error, wamid, clientRequestId, unknownSince, repeats, repeatedBy } = message;
  const { location, contacts, interactive, order, call, systemEvent } = message;
  const { referral, product, forwarded, editedAt, revokedAt, pricing, imported } = message;
  return {
    _id,
    direction,
    type,
    reactions,
    status,
    timestamp,
    sender: { kind: message.sender.kind, ...defined({ name: message.sender.name }) },
    ...defined({
      text,
      caption,
      error,
      wamid,
      clientRequestId,
      unknownSince,
      repeats,
      repeatedBy,
      location,
      contacts,
      interactive,
      order,
      call,
      systemEvent,
      referral,
      product,
      forwarded,
      editedAt,
      revokedAt,
      pricing,
      imported,
      media: await viewMedia(message, options.links),
      replyTo: await viewReply(ctx, message.accountId, message.replyToWamid),
      unsupportedType: SHOWN_TYPES.has(type) ? undefined : type,
    }),
  };
}

async function viewMedia({ _id, media }: Doc<"messages">, links: MediaLinker | undefined) {
  if (media === undefined) return undefined;
  const { state, mime, filename, bytes, storageId, link } = media;
  const url = storageId === undefined ? undefined : await links?.(_id);
  return { state, ...defined({ mime, filename, bytes, link, url }) };
}

async function viewReply(ctx: QueryCtx, accountId: Id<"accounts">, wamid: string | undefined) {
  if (wamid === undefined) return undefined;
  const target = await ctx.db
    .query("messages")
    .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId).eq("wamid", wamid))
    .unique();
  return { wamid, ...defined({ preview: target === null ? undefined : messagePreview(target) }) };
}
