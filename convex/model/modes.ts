import { defined } from "#shared/defined";
import {
  type ConversationMode,
  EVENT_FOR_MODE,
  type ModeEvent,
  modeObstacle,
  nextConversationMode,
} from "#shared/domain/conversation-mode";
import type { EventPayload } from "#shared/domain/events";
import type { RefusalReason } from "#shared/errors";
import { MINUTE_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { readAccountRules } from "./accountRules";
import { recordAudit } from "./audit";
import { appendEvent } from "./events";
import type { Principal } from "./principal";

/** Why this principal may not write in the conversation (`human_in_control`, `conversation_paused`), or null. */
export function checkMode(
  conversation: Pick<Doc<"conversations">, "mode">,
  principal: Pick<Principal, "kind">,
): Extract<RefusalReason, "human_in_control" | "conversation_paused"> | null {
  return principal.kind === "user" ? null : modeObstacle(conversationModeOf(conversation));
}

/** The mode of a conversation; rows without one are in mode `agent`. */
export function conversationModeOf({ mode }: Pick<Doc<"conversations">, "mode">): ConversationMode {
  return mode ?? "agent";
}

/** The mode that a new conversation of the account begins with. */
export async function firstMode(ctx: QueryCtx, accountId: Id<"accounts">): Promise<ConversationMode> {
  return (await readAccountRules(ctx, accountId)).defaultMode ?? "agent";
}

/** A member brings the conversation into a mode. Nothing happens when it is in that mode already. */
export async function setMode(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
  mode: ConversationMode,
  principal: string,
  now: number,
): Promise<void> {
  await moveMode(ctx, conversation, EVENT_FOR_MODE[mode], principal, now);
}

/**
 * A member wrote to the customer. In an account that wants it so, that takes the conversation over from agents, or
 * keeps it with people for another while.
 */
export async function noteMemberReply(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
  userId: string,
  now: number,
): Promise<void> {
  const { memberReplyTakesOver } = await readAccountRules(ctx, conversation.accountId);
  if (memberReplyTakesOver !== true) return;
  const current = (await ctx.db.get(conversation._id)) ?? conversation;
  if (await moveMode(ctx, current, "memberReplied", `user:${userId}`, now)) return;
  if (current.handBackAt === undefined) return;
  // The timer that runs already looks at the row when it fires, and sets itself again for this time.
  await ctx.db.patch(current._id, { handBackAt: await handBackTime(ctx, current.accountId, now) });
}

/** The timer of a hand-back: gives the conversation back to agents if its time has really come. */
export async function handBack(
  ctx: MutationCtx,
  conversationId: Id<"conversations">,
  now: number,
): Promise<void> {
  const conversation = await ctx.db.get(conversationId);
  if (conversation?.handBackAt === undefined) return;
  if (conversation.handBackAt > now) {
    await ctx.scheduler.runAt(conversation.handBackAt, internal.conversations.handBack, { conversationId });
    return;
  }
  await moveMode(ctx, conversation, "handBackDue", "system", now);
}

/**
 * Moves the conversation along the table of `shared/domain/conversation-mode`, in one transaction with its audit line
 * and its event. Returns false, and writes nothing, when the event changes nothing in this mode.
 */
export async function moveMode(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
  event: ModeEvent,
  principal: string,
  now: number,
  more: EventPayload = {},
): Promise<boolean> {
  const { _id: conversationId, accountId } = conversation;
  const previous = conversationModeOf(conversation);
  const mode = nextConversationMode(previous, event);
  if (mode === null) return false;
  const handBackAt = mode === "human" ? await handBackTime(ctx, accountId, now) : undefined;
  await ctx.db.patch(conversationId, { mode, handBackAt });
  // A timer of an earlier take-over may still be out: it finds this row and follows its time.
  if (handBackAt !== undefined) {
    await ctx.scheduler.runAt(handBackAt, internal.conversations.handBack, { conversationId });
  }
  await recordAudit(ctx, {
    accountId,
    principal,
    action: "conversation.mode",
    outcome: mode,
    subject: conversationId,
    at: now,
  });
  await appendEvent(ctx, {
    accountId,
    conversationId,
    type: "conversation.updated",
    dedupeKey: `mode:${conversationId}:${mode}:${event}:${now}`,
    occurredAt: now,
    payload: defined({
      conversation: { id: conversationId, mode, previousMode: previous },
      cause: event,
      ...more,
    }),
  });
  return true;
}

async function handBackTime(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  now: number,
): Promise<number | undefined> {
  const { handBackMinutes } = await readAccountRules(ctx, accountId);
  return handBackMinutes === undefined ? undefined : now + handBackMinutes * MINUTE_MS;
}
