import { SEND_ATTEMPTS_MAX, UNKNOWN_HOLD_MS } from "#shared/domain/limits";
import { nextSendState, type SendEvent } from "#shared/domain/send-state";
import { isErrorCode } from "#shared/errors";
import { MINUTE_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { learnWaId } from "./contacts";
import { leaveLane, scheduleDelivery } from "./lane";
import { giveUpOutgoing } from "./media";
import { appendMessageEvent } from "./messageEvents";
import { linkWamid } from "./messageJoin";
import { messageError, refreshStatus } from "./messageStatus";
import { addReaction } from "./reactions";

/**
 * The steps of an outbox row along `shared/domain/send-state`. Every step asks the table, and does nothing when the
 * table has no such cell, so a stale worker, a repeated webhook and a late answer are all harmless.
 */

/** A chat reply that could not leave for so long has lost its moment: the person decides about it anew. */
const SEND_PATIENCE_MS = 10 * MINUTE_MS;

/** What a step writes beside the state; undefined removes a field. */
type RowChange = Partial<Pick<Doc<"outbox">, "attempt" | "dueAt">> & {
  [Field in "claimToken" | "wamid" | "error" | "reason" | "unknownSince"]?: Doc<"outbox">[Field] | undefined;
};

/** Moves the row along the table. Returns false, and writes nothing, when the event has no cell in this state. */
export async function move(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  event: SendEvent,
  change: RowChange,
): Promise<boolean> {
  const state = nextSendState(row.state, event);
  if (state === null) return false;
  await ctx.db.patch(row._id, { ...change, state });
  if (row.messageId !== undefined) await refreshStatus(ctx, row.messageId);
  return true;
}

/** Meta has the message: it gets its id, and its customer the id by which Meta calls them. */
export async function acceptSend(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  event: "accepted" | "statusArrived",
  wamid: string,
  waId: string | undefined,
  now: number,
): Promise<void> {
  if (nextSendState(row.state, event) === null) return;
  const message = row.messageId === undefined ? null : await ctx.db.get(row.messageId);
  if (message !== null) await linkWamid(ctx, message, wamid, now);
  await move(ctx, row, event, { wamid, error: undefined, unknownSince: undefined });
  await tell(ctx, row, "message.outbound.sent", now);
  if (row.payload.type === "reaction") {
    const { targetWamid, emoji } = row.payload;
    const reaction = { accountId: row.accountId, wamid, targetWamid, emoji, timestamp: row.enqueuedAt };
    await addReaction(ctx, { ...reaction, from: "business" }, now);
  }
  const conversation = waId === undefined ? null : await ctx.db.get(row.conversationId);
  const contact = conversation === null ? null : await ctx.db.get(conversation.contactId);
  if (contact !== null && waId !== undefined) await learnWaId(ctx, contact, waId);
  await leaveLane(ctx, row, now);
}

/** The send has failed for good. */
export async function endSend(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  event: "rejected" | "rateLimited" | "notSent",
  code: string,
  reason: string,
  now: number,
): Promise<void> {
  const error = messageError(isErrorCode(code) ? code : "whatsapp_refused");
  if (!(await move(ctx, row, event, { error, reason }))) return;
  if (row.messageId !== undefined) await giveUpOutgoing(ctx, row.messageId, now);
  await tell(ctx, row, "message.outbound.failed", now);
  await leaveLane(ctx, row, now);
}

/** The send is withdrawn before anything left. */
export async function cancelSend(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  code: string,
  now: number,
): Promise<void> {
  const error = messageError(isErrorCode(code) ? code : "internal");
  if (!(await move(ctx, row, "cancel", { error }))) return;
  if (row.messageId !== undefined) await giveUpOutgoing(ctx, row.messageId, now);
  await tell(ctx, row, "message.outbound.failed", now);
  await leaveLane(ctx, row, now);
}

/** Nobody knows whether Meta has it: the lane is held for a while, and the machine never sends it again. */
export async function doubtSend(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  event: "unknown" | "leaseExpired",
  reason: string,
  now: number,
): Promise<void> {
  const dueAt = now + UNKNOWN_HOLD_MS;
  if (!(await move(ctx, row, event, { reason, unknownSince: now, dueAt }))) return;
  await ctx.scheduler.runAt(dueAt, internal.outbox.releaseLane, { outboxId: row._id });
}

/** Queues a send again that provably did not reach Meta, until its attempts or its patience are used up. */
export async function postponeSend(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  event: "rateLimited" | "notSent" | "leaseExpired",
  code: string,
  reason: string,
  waitMs: number,
  now: number,
): Promise<void> {
  const next = nextSendState(row.state, event);
  if (next === null) return;
  const dueAt = now + waitMs;
  // A pause of the whole number says nothing about this message: its neighbours wait for it as well.
  const patient = event === "rateLimited" && code !== "whatsapp_pair_limited";
  const late = !patient && dueAt > row.enqueuedAt + SEND_PATIENCE_MS;
  const spent = row.attempt >= SEND_ATTEMPTS_MAX || late;
  if (next === "queued" && !spent) {
    await move(ctx, row, event, { reason, claimToken: undefined });
    await scheduleDelivery(ctx, row._id, dueAt);
    return;
  }
  // A claim that is lost again and again was never dispatched, so there is nothing to reject: it is withdrawn.
  if (row.state === "claimed") return await cancelSend(ctx, row, code, now);
  await endSend(ctx, row, "rejected", code, reason, now);
}

/**
 * Appends the end of a send to the account's events, in the transaction that settles it. An unknown outcome is no end,
 * so nothing is told about it. What becomes of a reaction is told by the reaction itself.
 */
async function tell(
  ctx: MutationCtx,
  { messageId }: Doc<"outbox">,
  type: "message.outbound.sent" | "message.outbound.failed",
  now: number,
): Promise<void> {
  if (messageId === undefined) return;
  await appendMessageEvent(ctx, messageId, { type, dedupeKey: messageId, occurredAt: now });
}
