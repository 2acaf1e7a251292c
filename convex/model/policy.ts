import { mayStillSend } from "#shared/domain/window";
import { type RefusalReason, refusal } from "#shared/errors";
import { canonicalNaming } from "#shared/whatsapp/identity";
import { buildText, type Recipient } from "#shared/whatsapp/outbound";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { checkConsent } from "./consent";
import { resolveContact } from "./contacts";
import { findConversationOf } from "./conversations";
import type { DoorRefusal } from "./grants";
import { findByWamid } from "./messages";
import { checkMode } from "./modes";
import { type Principal, principalKey } from "./principal";
import { checkRate } from "./rateLimits";
import { findRecentTwin, findRequest, hashOf } from "./sendRequests";

/** A text that somebody wants to send from an account that they may use. */
export interface TextDraft {
  principal: Principal;
  account: Doc<"accounts">;
  recipient: { kind: "conversation"; conversation: Doc<"conversations"> } | { kind: "contact"; text: string };
  text: string;
  /** Our id or Meta's of the message that is quoted. */
  replyTo?: string;
  clientRequestId?: string;
  now: number;
}

/** A send that every rule allows, with all that is frozen about it. */
export interface Allowed {
  kind: "allowed";
  conversation: Doc<"conversations">;
  payload: Doc<"outbox">["payload"];
  requestHash: string;
  contentHash: string;
}

/** The same request was taken before; its answer is given again. */
export interface Replayed {
  kind: "replayed";
  request: Doc<"sendRequests">;
}

export interface Refused {
  kind: "refused";
  refusal: DoorRefusal;
}

/**
 * Decides one send; writes nothing. Identity, membership, scope and number were decided before. From here the order
 * is idempotency, recipient, consent, mode, content, window, repetition, rate, daily cap: the first "no" wins, so that the same
 * situation always gets the same sentence.
 */
export async function decideText(ctx: MutationCtx, draft: TextDraft): Promise<Allowed | Replayed | Refused> {
  const { account, principal, now } = draft;
  if (account.state !== "active") return refuse("not_found");
  const requestHash = await hashOf([recipientWord(draft), draft.text, draft.replyTo ?? null]);
  if (draft.clientRequestId !== undefined) {
    const request = await findRequest(ctx, account._id, principalKey(principal), draft.clientRequestId);
    if (request !== null) {
      return request.requestHash === requestHash
        ? { kind: "replayed", request }
        : refuse("idempotency_key_reused");
    }
  }
  const target = await findTarget(ctx, draft);
  if (target.kind === "refused") return target;
  const obstacle =
    (await checkConsent(ctx, target.contact, "service")) ?? checkMode(target.conversation, principal);
  if (obstacle !== null) return refuse(obstacle);
  const content = await checkContent(ctx, draft, target);
  if (content.kind === "refused") return content;
  const { conversation } = target;
  if (!mayStillSend(conversation.windowExpiresAt ?? null, now)) return refuse("window_closed");
  const contentHash = await hashOf([draft.text]);
  if (draft.clientRequestId === undefined) {
    const twin = await findRecentTwin(ctx, conversation._id, principalKey(principal), contentHash, now);
    if (twin !== null) {
      return { kind: "refused", refusal: { ...refusal("duplicate_suspected"), message_id: twin.messageId } };
    }
  }
  const limited = await checkRate(ctx, principal);
  if (limited !== null) return { kind: "refused", refusal: limited };
  return { kind: "allowed", conversation, payload: content.payload, requestHash, contentHash };
}

function refuse(reason: RefusalReason, say?: string): Refused {
  return { kind: "refused", refusal: refusal(reason, say === undefined ? {} : { say }) };
}

function recipientWord({ recipient }: TextDraft): string {
  return recipient.kind === "conversation" ? recipient.conversation._id : canonicalNaming(recipient.text);
}

interface Target {
  kind: "target";
  contact: Doc<"contacts">;
  conversation: Doc<"conversations">;
  to: Recipient;
}

async function findTarget(ctx: QueryCtx, draft: TextDraft): Promise<Target | Refused> {
  const { recipient, account } = draft;
  const contact =
    recipient.kind === "conversation"
      ? await ctx.db.get(recipient.conversation.contactId)
      : await resolveContact(ctx, account._id, recipient.text);
  if (contact === "malformed") return refuse("invalid_recipient");
  // Somebody at a number that never wrote has no window; any other name that leads to nobody does not exist.
  if (contact === "absent_number") return refuse("window_closed");
  if (contact === "absent" || contact === null) return refuse("not_found");
  const conversation = await findConversationOf(ctx, contact);
  if (conversation === null) return refuse("window_closed");
  const found = { kind: "target" as const, contact, conversation };
  if (contact.phone !== undefined) return { ...found, to: { phone: contact.phone } };
  if (contact.userId !== undefined) return { ...found, to: { userId: contact.userId } };
  return refuse("invalid_recipient");
}

async function checkContent(
  ctx: QueryCtx,
  draft: TextDraft,
  { conversation, to }: Target,
): Promise<{ kind: "content"; payload: Doc<"outbox">["payload"] } | Refused> {
  const quoted =
    draft.replyTo === undefined ? undefined : await quotedWamid(ctx, conversation, draft.replyTo);
  if (quoted === null)
    return refuse("not_found", "The message to reply to is not part of this conversation.");
  const built = buildText({ to, ...(quoted !== undefined && { replyTo: quoted }) }, draft.text);
  if (!built.ok) return refuse(built.field === "to" ? "invalid_recipient" : "invalid_message", built.problem);
  const payload = {
    type: "text" as const,
    text: draft.text,
    ...("phone" in to ? { to: to.phone } : { recipient: to.userId }),
    ...(quoted !== undefined && { replyToWamid: quoted }),
  };
  return { kind: "content", payload };
}

/** Meta's id of a message of this very conversation, named by our id or by Meta's; null when there is none. */
async function quotedWamid(
  ctx: QueryCtx,
  conversation: Doc<"conversations">,
  replyTo: string,
): Promise<string | null> {
  const messageId: Id<"messages"> | null = ctx.db.normalizeId("messages", replyTo);
  const message =
    messageId === null
      ? await findByWamid(ctx, conversation.accountId, replyTo)
      : await ctx.db.get(messageId);
  return message?.conversationId === conversation._id ? (message.wamid ?? null) : null;
}
