import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { fail } from "./errors";
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
