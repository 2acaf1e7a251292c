import { defined } from "#shared/defined";
import { preview } from "#shared/text";
import { believableTimeMs, SECOND_MS } from "#shared/time";
import { contentPreview } from "#shared/whatsapp/preview";
import { MEDIA_TYPES } from "#shared/whatsapp/webhook-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { ConversationChanges } from "./conversations";
import { searchTextOf } from "./messageText";
import { refreshUnanswered, unansweredAfter } from "./unanswered";

type Shown = Pick<
  Doc<"messages">,
  "type" | "text" | "caption" | "media" | "location" | "contacts" | "revokedAt"
>;

/** What a new message brings; the rest of its row follows from its conversation. */
export type NewMessage = Omit<
  Doc<"messages">,
  | "_id"
  | "_creationTime"
  | "accountId"
  | "conversationId"
  | "contactId"
  | "seq"
  | "sortAt"
  | "statusHistory"
  | "reactions"
  | "searchText"
> &
  Partial<Pick<Doc<"messages">, "statusHistory">>;

/** The line that stands for a stored message in a quote: its text, else its caption or file name, else what it is. */
export function messagePreview(message: Shown): string {
  if (message.revokedAt !== undefined) return "Deleted message";
  const { text, caption, media, location, contacts } = message;
  const words = text ?? caption ?? media?.filename ?? location?.name ?? contacts?.[0]?.name;
  if (words !== undefined && words !== "") return preview(words);
  const type = MEDIA_TYPES.find((name) => name === message.type);
  return type === undefined ? preview(`[${message.type}]`) : contentPreview({ type });
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
 * Inserts a message at the end of its conversation's sequence and gives the list its `line`. The caller has made sure
 * that the wamid is new, and joins what has waited for it (`messageJoin`).
 *
 * Order in the thread is Meta's time in whole seconds, then the sequence number: Meta stamps whole seconds only, so
 * ours are cut to seconds too, or a reply would jump over the message that it answers.
 *
 * @param along what else changes of the conversation's row, which is written once
 */
export async function appendMessage(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
  message: NewMessage,
  line: string,
  now: number,
  along: ConversationChanges = {},
): Promise<Id<"messages">> {
  const { accountId, contactId, nextSeq } = conversation;
  const sortAt = sortTime(message.timestamp, now);
  const messageId = await ctx.db.insert("messages", {
    statusHistory: {},
    ...message,
    accountId,
    conversationId: conversation._id,
    contactId,
    seq: nextSeq,
    sortAt,
    reactions: [],
    ...defined({ searchText: searchTextOf(message) }),
  });
  const newest = sortAt >= conversation.lastMessageAt;
  await ctx.db.patch(conversation._id, {
    ...along,
    nextSeq: nextSeq + 1,
    ...(newest && {
      lastMessageAt: sortAt,
      preview: line,
      previewMessageId: messageId,
      previewStatus: message.status === "received" ? undefined : message.status,
      unansweredSince: unansweredAfter(conversation, message, sortAt),
    }),
  });
  if (!newest) await refreshUnanswered(ctx, conversation._id);
  return messageId;
}

/** Where a message stands in its thread (ms): its own time, held back when the sender's clock runs ahead. */
export function sortTime(timestamp: number, now: number): number {
  return Math.floor(believableTimeMs(timestamp, now) / SECOND_MS) * SECOND_MS;
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
