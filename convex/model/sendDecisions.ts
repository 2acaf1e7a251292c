import { UNKNOWN_BADGE_MS } from "#shared/domain/limits";
import { refusal } from "#shared/errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { recordAudit } from "./audit";
import { requireConversation } from "./conversations";
import { fail } from "./errors";
import { leaveLane } from "./lane";
import { linkRepeated } from "./messages";
import { enqueue } from "./outbox";
import { personAsPrincipal, principalKey } from "./principal";
import { cancelSend, move } from "./sendMoves";
import { findSendOf } from "./sendOutcome";

/** A member at work in an account, as `memberMutation` makes it. */
type MemberCtx = MutationCtx & { account: Doc<"accounts">; userId: string };

/**
 * What a person decides about a send, because the machine must not. Each function throws `not_found` for a message
 * that is not of the account or was not sent from here, and `conflict` where the send is past such a decision.
 */

/** The person has seen the message on the phone: it counts as sent until evidence says more. Again changes nothing. */
export async function markSent(ctx: MemberCtx, messageId: Id<"messages">, now: number): Promise<void> {
  const { row } = await requireSend(ctx, messageId);
  if (row.state === "markedSent" || row.state === "accepted") return;
  if (!(await move(ctx, row, "markSent", { unknownSince: undefined }))) {
    fail("conflict", { say: "Only a message of unknown outcome can be marked as sent." });
  }
  await leaveLane(ctx, row, now);
  await audit(ctx, "message.mark_sent", messageId, now);
}

/** Withdraws a message that has not left yet. Again changes nothing. */
export async function withdraw(ctx: MemberCtx, messageId: Id<"messages">, now: number): Promise<void> {
  const { row } = await requireSend(ctx, messageId);
  if (row.state === "cancelled") return;
  if (row.state !== "queued" && row.state !== "claimed") {
    fail("conflict", { say: "The message has left already." });
  }
  await cancelSend(ctx, row, "withdrawn", now);
  await audit(ctx, "message.withdraw", messageId, now);
}

/**
 * Sends the content of a failed or doubtful message as a new one, which is linked to the old. All rules of sending
 * are asked anew. A doubtful message waits for its status first (`outcome_pending`), and one that was sent again
 * already names its successor (`duplicate_suspected`).
 */
export async function sendAgain(
  ctx: MemberCtx,
  args: { messageId: Id<"messages">; clientRequestId: string },
  now: number,
) {
  const { row, message } = await requireSend(ctx, args.messageId);
  const doubtful = row.state === "unknown";
  if (!doubtful && message.status !== "failed") {
    fail("conflict", { say: "Only a failed or doubtful message can be sent again." });
  }
  const waitMs = doubtful ? (row.unknownSince ?? 0) + UNKNOWN_BADGE_MS - now : 0;
  if (waitMs > 0) return refusal("outcome_pending", { retryAfterMs: waitMs });
  const successor = message.repeatedBy === undefined ? null : await ctx.db.get(message.repeatedBy);
  if (successor !== null && successor.clientRequestId !== args.clientRequestId) {
    return { ...refusal("duplicate_suspected"), message_id: successor._id };
  }
  const { payload } = row;
  if (payload.type === "reaction") fail("conflict", { say: "A reaction is simply set again." });
  const answer = await enqueue(ctx, {
    principal: await personAsPrincipal(ctx, ctx.userId),
    account: ctx.account,
    recipient: {
      kind: "conversation",
      conversation: await requireConversation(ctx, ctx.account._id, row.conversationId),
    },
    content: { type: "again", payload },
    clientRequestId: args.clientRequestId,
    now,
  });
  if (!("refused" in answer)) await linkRepeated(ctx, message._id, answer.messageId);
  return answer;
}

async function requireSend(ctx: MemberCtx, messageId: Id<"messages">) {
  const message = await ctx.db.get(messageId);
  if (message === null || message.accountId !== ctx.account._id) fail("not_found");
  const row = await findSendOf(ctx, messageId);
  if (row === null) fail("not_found");
  return { row, message };
}

async function audit(ctx: MemberCtx, action: string, subject: Id<"messages">, at: number): Promise<void> {
  const principal = principalKey({ kind: "user", userId: ctx.userId });
  await recordAudit(ctx, { accountId: ctx.account._id, principal, action, outcome: "done", at, subject });
}
