import { laterWindow, type WindowEnd, windowAfterMessage } from "#shared/domain/window";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { fail } from "./errors";
import { appendEvent } from "./events";
import { firstMode } from "./modes";

/** The conversation, if it exists and belongs to the account. Missing and foreign give the same `not_found`. */
export async function requireConversation(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  conversationId: Id<"conversations">,
): Promise<Doc<"conversations">> {
  const conversation = await ctx.db.get(conversationId);
  if (conversation === null || conversation.accountId !== accountId) fail("not_found");
  return conversation;
}

/** Records that a member has seen all messages so far. Writes nothing when there is nothing new. */
export async function markSeen(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
  userId: string,
  now: number,
): Promise<void> {
  const seen = await ctx.db
    .query("conversationSeen")
    .withIndex("by_conversation_user", (q) => q.eq("conversationId", conversation._id).eq("userId", userId))
    .unique();
  const inboundCountSeen = conversation.inboundCount;
  if (seen === null) {
    await ctx.db.insert("conversationSeen", {
      conversationId: conversation._id,
      userId,
      inboundCountSeen,
      seenAt: now,
    });
  } else if (seen.inboundCountSeen < inboundCountSeen) {
    await ctx.db.patch(seen._id, { inboundCountSeen, seenAt: now });
  }
}

/** The conversation with a contact, or null while nobody has written. */
export async function findConversationOf(
  ctx: QueryCtx,
  contact: Doc<"contacts">,
): Promise<Doc<"conversations"> | null> {
  return await ctx.db
    .query("conversations")
    .withIndex("by_account_contact", (q) => q.eq("accountId", contact.accountId).eq("contactId", contact._id))
    .unique();
}

/** The conversation with a contact, created when this is the first thing heard of it. */
export async function ensureConversation(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
): Promise<Doc<"conversations">> {
  const existing = await findConversationOf(ctx, contact);
  if (existing !== null) return existing;
  const conversationId = await ctx.db.insert("conversations", {
    accountId: contact.accountId,
    contactId: contact._id,
    nextSeq: 0,
    inboundCount: 0,
    preview: "",
    lastMessageAt: 0,
    archived: false,
    mode: await firstMode(ctx, contact.accountId),
  });
  const created = await ctx.db.get(conversationId);
  if (created === null) throw new Error("The conversation just inserted is not there.");
  return created;
}

/** What activity changes of a conversation's row. */
export type ConversationChanges = Partial<
  Pick<Doc<"conversations">, "windowExpiresAt" | "windowSource" | "inboundCount" | "archived" | "referredAt">
> & { archivedAt?: undefined };

/** What the customer did. */
export interface Activity {
  kind: "message" | "reaction" | "call";
  wamid: string;
  /** By Meta's clock (ms). */
  timestamp: number;
  /** The customer may be answered freely for 24 hours; a notice of WhatsApp itself allows nothing. */
  opensWindow: boolean;
  /** Somebody should look at it. */
  countsAsUnread: boolean;
  /** The customer came from an advertisement. */
  referred?: boolean;
}

/**
 * The customer was active: the conversation comes back from the archive, counts one more for those who have not
 * looked, and its window moves to Meta's time + 24 h, never backwards.
 */
export async function noteInbound(
  ctx: MutationCtx,
  conversationId: Id<"conversations">,
  activity: Activity,
  now: number,
): Promise<void> {
  const conversation = await ctx.db.get(conversationId);
  if (conversation === null) throw new Error(`Conversation ${conversationId} is gone.`);
  await ctx.db.patch(conversationId, activityChanges(conversation, activity, now));
  await tellUnarchived(ctx, conversation, activity);
}

/** What `noteInbound` changes of the conversation's row, for those who change it anyway. */
export function activityChanges(
  conversation: Doc<"conversations">,
  activity: Activity,
  now: number,
): ConversationChanges {
  const { inboundCount, referredAt } = conversation;
  const { timestamp, countsAsUnread } = activity;
  return {
    ...(activity.opensWindow && windowAfter(conversation, activity, now)),
    ...(countsAsUnread && { inboundCount: inboundCount + 1, archived: false, archivedAt: undefined }),
    ...(activity.referred && { referredAt: Math.max(referredAt ?? 0, timestamp) }),
  };
}

/** Tells the stream when the activity brought the conversation back; `conversation` as it was before. */
export async function tellUnarchived(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
  { countsAsUnread, timestamp, wamid }: Activity,
): Promise<void> {
  if (!countsAsUnread || !conversation.archived) return;
  const { _id: conversationId, accountId } = conversation;
  await appendEvent(ctx, {
    accountId,
    conversationId,
    type: "conversation.updated",
    dedupeKey: `${conversationId}:unarchived:${wamid}`,
    occurredAt: timestamp,
    payload: { conversation: { id: conversationId, archived: false } },
  });
}

function windowAfter(conversation: Doc<"conversations">, activity: Activity, now: number) {
  const { windowExpiresAt, windowSource } = conversation;
  const known: WindowEnd | null =
    windowExpiresAt === undefined
      ? null
      : { expiresAt: windowExpiresAt, ...(windowSource !== undefined && { source: windowSource }) };
  const { wamid, kind, timestamp } = activity;
  const { expiresAt, source } = laterWindow(known, {
    expiresAt: windowAfterMessage(null, timestamp, now),
    source: { wamid, kind },
  });
  return { windowExpiresAt: expiresAt, windowSource: source };
}

/** Meta charges nothing until then, because the customer came from an advertisement. Only ever moves forward. */
export async function extendFreeEntry(
  ctx: MutationCtx,
  conversationId: Id<"conversations">,
  expiresAt: number,
): Promise<void> {
  const conversation = await ctx.db.get(conversationId);
  if (conversation === null || (conversation.freeEntryExpiresAt ?? 0) >= expiresAt) return;
  await ctx.db.patch(conversationId, { freeEntryExpiresAt: expiresAt });
}
