import { defined } from "#shared/defined";
import type { EventPayload, EventSource, EventType } from "#shared/domain/events";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { contactName } from "./contactName";
import { appendEvent } from "./events";

/** The events that are about one message. */
type MessageEventType = Extract<EventType, `message.${string}` | "call.updated">;

/** What a message stands in, as it is now: for those who have just read it. */
export interface MessageSetting {
  account: Doc<"accounts">;
  contact: Doc<"contacts">;
  conversation: Pick<Doc<"conversations">, "_id" | "windowExpiresAt">;
}

/**
 * Tells the account's stream something about a message, in the transaction that changed it. `more` stands in the
 * payload beside the message, its contact and its conversation. A message that is gone is told nothing about.
 */
export async function appendMessageEvent(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  event: {
    type: MessageEventType;
    dedupeKey: string;
    occurredAt: number;
    more?: EventPayload;
    source?: EventSource;
    setting?: MessageSetting;
  },
): Promise<void> {
  const message = await ctx.db.get(messageId);
  if (message === null) return;
  const { type, dedupeKey, occurredAt, more, source, setting } = event;
  await appendEvent(ctx, {
    accountId: message.accountId,
    conversationId: message.conversationId,
    type,
    dedupeKey,
    occurredAt,
    payload: { ...messagePayload(message, setting ?? (await settingOf(ctx, message))), ...more },
    ...defined({ source }),
  });
}

/** The id of the message that an event is about, as it stands in the envelope; undefined for none, or once it is erased. */
export function messageIdOf({ type, body }: Doc<"webhookEvents">): string | undefined {
  if (!type.startsWith("message.")) return undefined;
  // The text is our own, from `eventText`.
  const { payload }: { payload?: { message?: { id?: unknown } } } = JSON.parse(body);
  const id = payload?.message?.id;
  return typeof id === "string" ? id : undefined;
}

async function settingOf(ctx: QueryCtx, message: Doc<"messages">): Promise<Partial<MessageSetting>> {
  const account = await ctx.db.get(message.accountId);
  const contact = await ctx.db.get(message.contactId);
  const conversation = await ctx.db.get(message.conversationId);
  return {
    ...(account !== null && { account }),
    ...(contact !== null && { contact }),
    ...(conversation !== null && { conversation }),
  };
}

function messagePayload(
  message: Doc<"messages">,
  { account, contact, conversation }: Partial<MessageSetting>,
): EventPayload {
  return defined({
    message: eventMessage(message),
    contact: contact && eventContact(contact),
    conversation: defined({ id: message.conversationId, windowExpiresAt: conversation?.windowExpiresAt }),
    number: account && { phoneNumberId: account.phoneNumberId, phoneNumber: account.phoneNumber },
  });
}

/** A contact as events show it. */
export function eventContact(contact: Doc<"contacts">): EventPayload {
  const { _id, phone, username, waId, userId } = contact;
  return { id: _id, name: contactName(contact), ...defined({ phone, username, waId, userId }) };
}

function eventMessage(message: Doc<"messages">): EventPayload {
  const { _id, wamid, direction, type, text, caption, status, error, timestamp, replyToWamid } = message;
  return {
    id: _id,
    direction,
    type,
    status,
    timestamp,
    sender: defined({ kind: message.sender.kind, name: message.sender.name }),
    reactions: message.reactions.map(({ emoji, from }) => ({ emoji, from })),
    ...defined({
      wamid,
      text,
      caption,
      error: error && { ...error },
      replyToWamid,
      media: message.media && eventMedia(message.media),
      clientRequestId: message.clientRequestId,
      location: message.location,
      contacts: message.contacts,
      interactive: message.interactive,
      order: message.order,
      referral: message.referral,
      product: message.product,
      forwarded: message.forwarded,
      systemEvent: message.systemEvent,
      call: message.call,
      pricing: message.pricing,
      editedAt: message.editedAt,
      revokedAt: message.revokedAt,
    }),
  };
}

/** Where the bytes are is not told: they are fetched by message id, under the reader's own rights. */
function eventMedia({ state, mime, filename, bytes }: NonNullable<Doc<"messages">["media"]>): EventPayload {
  return { state, ...defined({ mime, filename, bytes }) };
}
