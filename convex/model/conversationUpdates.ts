import { refusal } from "#shared/errors";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { recordAudit } from "./audit";
import { findContact } from "./contacts";
import { findConversationOf } from "./conversations";
import { appendEvent } from "./events";
import { grantNumber } from "./grants";
import type { Caller } from "./identity";
import { viewConversation } from "./views";

/** Puts a conversation into the archive or takes it out. Nothing happens when it is where it should be. */
export async function setArchived(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
  archived: boolean,
  principal: string,
  now: number,
): Promise<void> {
  if (conversation.archived === archived) return;
  const { _id: conversationId, accountId } = conversation;
  await ctx.db.patch(conversationId, { archived, archivedAt: archived ? now : undefined });
  await recordAudit(ctx, {
    accountId,
    principal,
    action: archived ? "conversation.archive" : "conversation.unarchive",
    outcome: "done",
    subject: conversationId,
    at: now,
  });
  await appendEvent(ctx, {
    accountId,
    conversationId,
    type: "conversation.updated",
    dedupeKey: `archived:${conversationId}:${archived}:${now}`,
    occurredAt: now,
    payload: { conversation: { id: conversationId, archived } },
  });
}

/** A key changes what it may of a conversation; what is left out stays. Returns the conversation as it is now. */
export async function updateForCaller(
  ctx: MutationCtx,
  caller: Caller,
  args: { from?: string; contact: string; archived?: boolean },
  now: number,
) {
  const granted = await grantNumber(ctx, caller, "write", args.from);
  if (granted.refused) return granted;
  const contact = await findContact(ctx, granted.account._id, args.contact);
  const conversation = contact === null ? null : await findConversationOf(ctx, contact);
  if (conversation === null) return refusal("not_found");
  if (args.archived !== undefined) {
    await setArchived(ctx, conversation, args.archived, `key:${caller.apiKeyId}`, now);
  }
  return await viewConversation(ctx, (await ctx.db.get(conversation._id)) ?? conversation);
}
