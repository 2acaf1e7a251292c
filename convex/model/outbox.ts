import { type RefusalReason, refusal } from "#shared/errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { recordAudit } from "./audit";
import { askConfirmation, spendConfirmation } from "./confirmations";
import { contactName } from "./contactName";
import { contactForPhone } from "./contacts";
import { ensureConversation } from "./conversations";
import type { DoorRefusal } from "./grants";
import { laneHead, scheduleDelivery, WAITING_FOR_LANE_MS } from "./lane";
import { startMediaDownload } from "./media";
import { appendMessage } from "./messages";
import { noteMemberReply } from "./modes";
import { type Allowed, decide, type Target, type Unconfirmed } from "./policy";
import { principalKey, senderOf } from "./principal";
import { countSend } from "./rateLimits";
import { recordRefusal } from "./refusalLog";
import type { SentColumns } from "./sendContent";
import type { Draft } from "./sendDraft";
import { REQUEST_KEPT_MS } from "./sendRequests";
import { sendWords } from "./sendWords";
import { attachUpload } from "./uploads";

export interface Pending {
  outcome: "pending";
  /** The message that was made, or for a reaction the message that it points at. */
  messageId: Id<"messages">;
  conversationId: Id<"conversations">;
  sendId: Id<"outbox">;
}

/** The answer to `validate_only`: the send would be taken now. */
export interface Valid {
  valid: true;
  /** Absent for a number that never wrote. */
  conversationId?: Id<"conversations">;
  windowExpiresAt?: number;
}

/**
 * Takes a draft for sending, or refuses it. Decision, message, outbox row, idempotency row and audit line are one
 * transaction with the scheduling of the delivery: there is no moment at which one exists without the others.
 */
export async function enqueue(ctx: MutationCtx, draft: Draft): Promise<Pending | DoorRefusal> {
  const decision = await decide(ctx, draft);
  switch (decision.kind) {
    case "replayed":
      return pending(decision.request);
    case "refused":
      await recordRefusedSend(ctx, draft, decision.refusal.reason);
      return decision.refusal;
    case "unconfirmed":
      return await ask(ctx, draft, decision);
    case "allowed":
      return await store(ctx, draft, decision);
    default:
      return decision satisfies never;
  }
}

/** Says whether the draft would be taken now, and changes nothing. */
export async function validate(ctx: MutationCtx, draft: Draft): Promise<Valid | DoorRefusal> {
  const decision = await decide(ctx, draft);
  switch (decision.kind) {
    case "refused":
      return decision.refusal;
    case "unconfirmed":
      return refusal("confirmation_required");
    case "replayed":
      return { valid: true, conversationId: decision.request.conversationId };
    case "allowed": {
      const { conversation } = decision.target;
      if (conversation === null) return { valid: true };
      const { _id, windowExpiresAt } = conversation;
      return { valid: true, conversationId: _id, ...(windowExpiresAt !== undefined && { windowExpiresAt }) };
    }
    default:
      return decision satisfies never;
  }
}

/** Refuses the send and says what a person has to be asked, with the token that will stand for their agreement. */
async function ask(
  ctx: MutationCtx,
  draft: Draft,
  { send, target, content }: Unconfirmed,
): Promise<DoorRefusal> {
  const asked = await askConfirmation(ctx, send, draft.now);
  if (asked === "declined") return refusal("confirmation_declined");
  const { contact, to } = target;
  const address = "phone" in to ? to.phone : to.userId;
  const username = contact?.username;
  return {
    ...refusal("confirmation_required"),
    confirm: {
      ...asked,
      from: draft.account.phoneNumber,
      recipient: "userId" in to && username !== undefined ? `@${username}` : address,
      text: sendWords(content.payload),
      ...(contact !== null && { name: contactName(contact) }),
    },
  };
}

function pending(request: Pick<Doc<"sendRequests">, "messageId" | "conversationId" | "outboxId">): Pending {
  const { messageId, conversationId, outboxId } = request;
  return { outcome: "pending", messageId, conversationId, sendId: outboxId };
}

async function store(ctx: MutationCtx, draft: Draft, allowed: Allowed): Promise<Pending> {
  const { principal, account, clientRequestId, now } = draft;
  const { shown, payload, target } = allowed.content;
  const conversation = await conversationFor(ctx, draft, allowed.target);
  const messageId = shown === null ? null : await storeMessage(ctx, draft, conversation, shown, allowed);
  const about = messageId ?? target?._id;
  if (about === undefined) throw new Error("A send without a message and without a target.");
  const behindAnother = (await laneHead(ctx, conversation._id)) !== null;
  const outboxId = await ctx.db.insert("outbox", {
    accountId: account._id,
    conversationId: conversation._id,
    seq: conversation.nextSeq,
    state: "queued",
    open: true,
    payload,
    attempt: 0,
    dueAt: WAITING_FOR_LANE_MS,
    enqueuedAt: now,
    ...(messageId !== null && { messageId }),
    ...(principal.kind === "key" && { apiKeyId: principal.key._id }),
  });
  if (!behindAnother) await scheduleDelivery(ctx, outboxId, now);
  const request = {
    accountId: account._id,
    conversationId: conversation._id,
    outboxId,
    messageId: about,
    principal: principalKey(principal),
    requestHash: allowed.requestHash,
    contentHash: allowed.contentHash,
    at: now,
    expiresAt: now + REQUEST_KEPT_MS,
    ...(clientRequestId !== undefined && { clientRequestId }),
  };
  await ctx.db.insert("sendRequests", request);
  if (allowed.confirmation !== null) {
    await spendConfirmation(ctx, allowed.confirmation, conversation.contactId, now);
  }
  await countSend(ctx, principal);
  if (principal.kind === "user" && messageId !== null) {
    await noteMemberReply(ctx, conversation, principal.userId, now);
  }
  await auditSend(ctx, draft, about);
  return pending(request);
}

/** The conversation of the target; for a number that never wrote, contact and conversation begin here. */
async function conversationFor(
  ctx: MutationCtx,
  { account }: Draft,
  { conversation, contact, to }: Target,
): Promise<Doc<"conversations">> {
  if (conversation !== null) return conversation;
  if (contact !== null) return await ensureConversation(ctx, contact);
  if (!("phone" in to)) throw new Error("A user id without a contact is refused as not_found.");
  return await ensureConversation(ctx, await contactForPhone(ctx, account._id, to.phone));
}

async function storeMessage(
  ctx: MutationCtx,
  draft: Draft,
  conversation: Doc<"conversations">,
  { line, ...columns }: SentColumns,
  { content }: Allowed,
): Promise<Id<"messages">> {
  const { principal, clientRequestId, now } = draft;
  const { payload } = content;
  const replyToWamid = "replyToWamid" in payload ? payload.replyToWamid : undefined;
  const messageId = await appendMessage(
    ctx,
    conversation,
    {
      ...columns,
      direction: "outbound",
      status: "queued",
      sender: senderOf(principal),
      timestamp: now,
      ...(replyToWamid !== undefined && { replyToWamid }),
      ...(clientRequestId !== undefined && { clientRequestId }),
    },
    line,
    now,
  );
  await startMediaDownload(ctx, messageId, undefined, now);
  if (payload.type === "media" && payload.uploadId !== undefined) {
    await attachUpload(ctx, messageId, payload.uploadId, now);
  }
  return messageId;
}

const SEND = "message.send";

async function auditSend(
  ctx: MutationCtx,
  { account, principal, now }: Draft,
  subject: Id<"messages">,
): Promise<void> {
  const line = { accountId: account._id, principal: principalKey(principal), subject, at: now };
  await recordAudit(ctx, { ...line, action: SEND, outcome: "queued" });
}

async function recordRefusedSend(
  ctx: MutationCtx,
  { account, principal, recipient, now }: Draft,
  reason: RefusalReason,
): Promise<void> {
  await recordRefusal(ctx, {
    accountId: account._id,
    principal: principalKey(principal),
    action: SEND,
    reason,
    at: now,
    ...(recipient.kind === "conversation" && { target: recipient.conversation._id }),
  });
}
