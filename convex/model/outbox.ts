import { preview } from "#shared/text";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { recordAudit } from "./audit";
import type { DoorRefusal } from "./grants";
import { laneHead, scheduleDelivery, WAITING_FOR_LANE_MS } from "./lane";
import { appendMessage } from "./messages";
import { type Allowed, decideText, type TextDraft } from "./policy";
import { principalKey, senderOf } from "./principal";
import { countSend } from "./rateLimits";
import { REQUEST_KEPT_MS } from "./sendRequests";

export interface Pending {
  outcome: "pending";
  messageId: Id<"messages">;
  conversationId: Id<"conversations">;
}

/**
 * Takes a text for sending, or refuses it. Decision, message, outbox row, idempotency row and audit line are one
 * transaction with the scheduling of the delivery: there is no moment at which one exists without the others.
 */
export async function enqueueText(ctx: MutationCtx, draft: TextDraft): Promise<Pending | DoorRefusal> {
  const decision = await decideText(ctx, draft);
  switch (decision.kind) {
    case "replayed":
      return pending(decision.request);
    case "refused":
      await auditSend(ctx, draft, decision.refusal.reason);
      return decision.refusal;
    case "allowed":
      return await enqueue(ctx, draft, decision);
    default:
      return decision satisfies never;
  }
}

/** Says whether the text would be taken now, and changes nothing. */
export async function validateText(ctx: MutationCtx, draft: TextDraft) {
  const decision = await decideText(ctx, draft);
  if (decision.kind === "refused") return decision.refusal;
  const conversationId =
    decision.kind === "allowed" ? decision.conversation._id : decision.request.conversationId;
  const windowExpiresAt = decision.kind === "allowed" ? decision.conversation.windowExpiresAt : undefined;
  return { valid: true as const, conversationId, ...(windowExpiresAt !== undefined && { windowExpiresAt }) };
}

function pending({ messageId, conversationId }: Pick<Pending, "messageId" | "conversationId">): Pending {
  return { outcome: "pending", messageId, conversationId };
}

async function enqueue(ctx: MutationCtx, draft: TextDraft, allowed: Allowed): Promise<Pending> {
  const { principal, account, clientRequestId, now } = draft;
  const { conversation, payload } = allowed;
  const messageId = await appendMessage(
    ctx,
    conversation,
    {
      direction: "outbound",
      type: payload.type,
      text: payload.text,
      status: "queued",
      sender: senderOf(principal),
      timestamp: now,
      ...(payload.replyToWamid !== undefined && { replyToWamid: payload.replyToWamid }),
      ...(clientRequestId !== undefined && { clientRequestId }),
    },
    preview(payload.text),
    now,
  );
  const behindAnother = (await laneHead(ctx, conversation._id)) !== null;
  const outboxId = await ctx.db.insert("outbox", {
    accountId: account._id,
    conversationId: conversation._id,
    messageId,
    seq: conversation.nextSeq,
    state: "queued",
    open: true,
    payload,
    attempt: 0,
    dueAt: WAITING_FOR_LANE_MS,
    enqueuedAt: now,
    ...(principal.kind === "key" && { apiKeyId: principal.key._id }),
  });
  if (!behindAnother) await scheduleDelivery(ctx, outboxId, now);
  await ctx.db.insert("sendRequests", {
    accountId: account._id,
    conversationId: conversation._id,
    messageId,
    principal: principalKey(principal),
    requestHash: allowed.requestHash,
    contentHash: allowed.contentHash,
    at: now,
    expiresAt: now + REQUEST_KEPT_MS,
    ...(clientRequestId !== undefined && { clientRequestId }),
  });
  await countSend(ctx, principal);
  await auditSend(ctx, draft, "queued", messageId);
  return pending({ messageId, conversationId: conversation._id });
}

/** A flood of refused calls must not become a flood of rows, so refusals for rate are not written down. */
const UNAUDITED: ReadonlySet<string> = new Set(["rate_limited", "cap_reached"]);

async function auditSend(
  ctx: MutationCtx,
  { account, principal, now }: TextDraft,
  outcome: string,
  subject?: Doc<"messages">["_id"],
): Promise<void> {
  if (UNAUDITED.has(outcome)) return;
  await recordAudit(ctx, {
    accountId: account._id,
    principal: principalKey(principal),
    action: "message.send",
    outcome,
    at: now,
    ...(subject !== undefined && { subject }),
  });
}
