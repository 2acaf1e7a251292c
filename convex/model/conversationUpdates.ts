import { EVENT_FOR_KEYS_MODE } from "#shared/domain/conversation-mode";
import { refusal } from "#shared/errors";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { recordAudit } from "./audit";
import { grantConversation } from "./callerConversations";
import { appendEvent } from "./events";
import type { Caller } from "./identity";
import { conversationModeOf, moveMode } from "./modes";
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

/** What a key may change of a conversation; what is left out stays. */
export interface KeysChange {
  archived?: boolean;
  mode?: "human" | "paused";
}

/**
 * A key changes a conversation, all of what it asks for or nothing. Returns the conversation as it is now, or why the
 * key may not change it: a conversation that people have taken is not paused by a key.
 */
export async function updateForCaller(
  ctx: MutationCtx,
  caller: Caller,
  args: KeysChange & { from?: string; contact: string },
  now: number,
) {
  const granted = await grantConversation(ctx, caller, "write", args);
  if (granted.refused) return granted;
  const { conversation } = granted;
  const { archived, mode } = args;
  const principal = `key:${caller.apiKeyId}`;
  if (mode === "paused" && conversationModeOf(conversation) === "human") return refusal("human_in_control");
  // Nothing happens in the mode that the conversation is in already.
  if (mode !== undefined) await moveMode(ctx, conversation, EVENT_FOR_KEYS_MODE[mode], principal, now);
  if (archived !== undefined) await setArchived(ctx, conversation, archived, principal, now);
  return await viewConversation(ctx, (await ctx.db.get(conversation._id)) ?? conversation);
}
