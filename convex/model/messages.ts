import { defined } from "#shared/defined";
import { windowAfterMessage } from "#shared/domain/window";
import { preview } from "#shared/text";
import { believableTimeMs, SECOND_MS } from "#shared/time";
import { contentPreview } from "#shared/whatsapp/preview";
import { MEDIA_TYPES } from "#shared/whatsapp/webhook-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { joinParkedStatuses, refreshStatus } from "./messageStatus";
import { shownReactions } from "./reactions";

type Shown = Pick<Doc<"messages">, "type" | "text" | "caption" | "media">;

/** What a new message brings; the rest of its row follows from its conversation. */
export type NewMessage = Pick<
  Doc<"messages">,
  | "direction"
  | "type"
  | "wamid"
  | "text"
  | "caption"
  | "media"
  | "raw"
  | "replyToWamid"
  | "status"
  | "timestamp"
  | "late"
  | "sender"
  | "clientRequestId"
>;

/** The line that stands for a stored message in a quote: its text, else its caption or file name, else what it is. */
export function messagePreview(message: Shown): string {
  const words = message.text ?? message.caption ?? message.media?.filename;
  if (words !== undefined && words !== "") return preview(words);
  const media = MEDIA_TYPES.find((type) => type === message.type);
  return media === undefined ? preview(`[${message.type}]`) : contentPreview({ type: media });
}

/** The message of an account with this wamid, or null; (account, wamid) is unique. */
export async function findByWamid(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  wamid: string,
): Promise<Doc<"messages"> | null> {
  return await ctx.db
    .query("messages")
    .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId).eq("wamid", wamid))
    .unique();
}

/** The message of an account that somebody names by our id or by Meta's; one of another account is absent. */
export async function findMessage(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  name: string,
): Promise<Doc<"messages"> | null> {
  const messageId = ctx.db.normalizeId("messages", name);
  if (messageId === null) return await findByWamid(ctx, accountId, name);
  const message = await ctx.db.get(messageId);
  return message?.accountId === accountId ? message : null;
}

/**
 * Inserts a message at the end of its conversation's sequence and gives the list its `line`. The caller has
 * made sure that the wamid is new. Reactions and statuses that came before the message are joined to it.
 *
 * Order in the thread is Meta's time in whole seconds, then the sequence number: Meta stamps whole seconds only, so
 * ours are cut to seconds too, or a reply would jump over the message that it answers.
 */
export async function appendMessage(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
  message: NewMessage,
  line: string,
  now: number,
): Promise<Id<"messages">> {
  const { accountId, contactId, nextSeq } = conversation;
  const sortAt = Math.floor(believableTimeMs(message.timestamp, now) / SECOND_MS) * SECOND_MS;
  const messageId = await ctx.db.insert("messages", {
    ...message,
    accountId,
    conversationId: conversation._id,
    contactId,
    seq: nextSeq,
    sortAt,
    statusHistory: {},
    reactions: message.wamid === undefined ? [] : await shownReactions(ctx, accountId, message.wamid),
  });
  const newest = sortAt >= conversation.lastMessageAt;
  await ctx.db.patch(conversation._id, {
    nextSeq: nextSeq + 1,
    ...(newest && {
      lastMessageAt: sortAt,
      preview: line,
      previewMessageId: messageId,
      previewStatus: message.status === "received" ? undefined : message.status,
    }),
  });
  if (message.direction === "outbound" && message.wamid !== undefined) {
    await joinParkedStatuses(ctx, { _id: messageId, accountId, statusHistory: {} }, message.wamid);
    await refreshStatus(ctx, messageId);
  }
  return messageId;
}

/** Notes that a failed or doubtful message was sent once more as a new one. */
export async function linkRepeated(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  repeatedBy: Id<"messages">,
): Promise<void> {
  await ctx.db.patch(messageId, { repeatedBy });
  await ctx.db.patch(repeatedBy, { repeats: messageId });
}

/**
 * The customer has written: the conversation comes back from the archive, counts one more for those who have not
 * looked, and its window moves to Meta's time + 24 h, never backwards.
 */
export async function noteInbound(
  ctx: MutationCtx,
  conversationId: Id<"conversations">,
  inbound: { timestamp: number; opensWindow: boolean; countsAsUnread: boolean },
  now: number,
): Promise<void> {
  const conversation = await ctx.db.get(conversationId);
  if (conversation === null) throw new Error(`Conversation ${conversationId} is gone.`);
  const { windowExpiresAt, inboundCount } = conversation;
  await ctx.db.patch(conversationId, {
    ...defined({
      windowExpiresAt: inbound.opensWindow
        ? windowAfterMessage(windowExpiresAt ?? null, inbound.timestamp, now)
        : undefined,
    }),
    ...(inbound.countsAsUnread && { inboundCount: inboundCount + 1, archived: false, archivedAt: undefined }),
  });
}
