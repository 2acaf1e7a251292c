import { mayStillSend } from "#shared/domain/window";
import { refusal } from "#shared/errors";
import { canonicalNaming, readNaming } from "#shared/whatsapp/identity";
import type { Recipient } from "#shared/whatsapp/outbound";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { type Confirmable, checkConfirmation } from "./confirmations";
import { checkConsent } from "./consent";
import { resolveContact } from "./contacts";
import { findConversationOf } from "./conversations";
import { mayReachCustomers } from "./grants";
import { checkLaneRoom } from "./lane";
import { findMessage } from "./messages";
import { checkMode } from "./modes";
import { principalKey } from "./principal";
import { checkRate } from "./rateLimits";
import { type Refused, refuse } from "./refused";
import type { Payload } from "./sendBody";
import { checkContent, purposeOf, type SendableContent } from "./sendContent";
import type { Draft } from "./sendDraft";
import { findRecentTwin, findRequest, hashOf } from "./sendRequests";
import { rankUsable } from "./templates";

/** Whom a send goes to. A number that never wrote has neither contact nor conversation yet. */
export interface Target {
  kind: "target";
  contact: Doc<"contacts"> | null;
  conversation: Doc<"conversations"> | null;
  to: Recipient;
}

/** A send that every rule allows, with all that is frozen about it. */
export interface Allowed {
  kind: "allowed";
  target: Target;
  content: SendableContent;
  requestHash: string;
  contentHash: string;
  /** The confirmation by which it is allowed, to be used up; null where none is needed. */
  confirmation: Doc<"sendConfirmations"> | null;
}

/** A send that every other rule allows, and that a person has to confirm. */
export interface Unconfirmed {
  kind: "unconfirmed";
  send: Confirmable;
  target: Target;
  content: SendableContent;
}

/** The same request was taken before; its answer is given again. */
export interface Replayed {
  kind: "replayed";
  request: Doc<"sendRequests">;
}

/**
 * Decides one send; writes nothing. Identity, membership, scope and number were decided before. From here the order
 * is idempotency, recipient, mode, consent, content, window, repetition, rate of the sender, of the recipient and of
 * the day, whether the number sends at all, and last whether a person has to confirm it, so that nobody is asked about
 * what would not be sent: the first "no" wins, so that the same situation always gets the same sentence.
 */
export async function decide(
  ctx: MutationCtx,
  draft: Draft,
): Promise<Allowed | Unconfirmed | Replayed | Refused> {
  const { account, principal } = draft;
  if (account.state !== "active") return refuse("not_found");
  if (principal.kind === "key" && !mayReachCustomers(principal.key)) return refuse("scope_missing");
  const requestHash = await hashOf([recipientWord(draft), draft.content, draft.replyTo ?? null]);
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
  const unwanted = await checkWishes(ctx, draft, target);
  if (unwanted !== null) return unwanted;
  const content = await checkContent(ctx, draft, target.conversation, target.to);
  if (content.kind === "refused") return content;
  const contentHash = await hashOf([draft.content, draft.replyTo ?? null]);
  const obstacle =
    (await checkWindow(ctx, draft, content, target)) ??
    (await checkRepetition(ctx, draft, target, contentHash)) ??
    (await checkRates(ctx, draft, target)) ??
    checkSending(account);
  if (obstacle !== null) return obstacle;
  const allowed = { kind: "allowed" as const, target, content, requestHash, contentHash };
  const send = confirmable(draft, target, contentHash);
  if (send === null) return { ...allowed, confirmation: null };
  const confirmation = await checkConfirmation(ctx, send, draft.confirmToken, draft.now);
  if (confirmation === "needed") return { kind: "unconfirmed", send, target, content };
  return { ...allowed, confirmation };
}

/** What a confirmation would be of; null for people, who decide for themselves. */
function confirmable({ principal, account }: Draft, { contact, to }: Target, contentHash: string) {
  if (principal.kind === "user") return null;
  const recipient = contact?._id ?? ("phone" in to ? to.phone : to.userId);
  return { key: principal.key, accountId: account._id, recipient, contentHash };
}

/** One word for the recipient, whatever its spelling, so that the same request is the same. */
function recipientWord({ recipient }: Draft): string {
  switch (recipient.kind) {
    case "conversation":
      return recipient.conversation._id;
    case "contact":
      return canonicalNaming(recipient.text);
    case "message":
      return recipient.messageId;
    default:
      return recipient satisfies never;
  }
}

async function findTarget(ctx: QueryCtx, draft: Draft): Promise<Target | Refused> {
  const { recipient, account } = draft;
  if (recipient.kind === "contact") {
    const contact = await resolveContact(ctx, account._id, recipient.text);
    if (contact === "malformed") return refuse("invalid_recipient");
    if (contact === "absent") return refuse("not_found");
    if (contact === "absent_number") return numberTarget(recipient.text);
    return contactTarget(contact, await findConversationOf(ctx, contact));
  }
  const conversation =
    recipient.kind === "conversation"
      ? recipient.conversation
      : await conversationOfMessage(ctx, account, recipient.messageId);
  const contact = conversation === null ? null : await ctx.db.get(conversation.contactId);
  return contact === null ? refuse("not_found") : contactTarget(contact, conversation);
}

async function conversationOfMessage(ctx: QueryCtx, account: Doc<"accounts">, messageId: string) {
  const message = await findMessage(ctx, account._id, messageId);
  return message === null ? null : await ctx.db.get(message.conversationId);
}

function numberTarget(text: string): Target | Refused {
  const naming = readNaming(text);
  if (naming.kind !== "phone") return refuse("invalid_recipient");
  return { kind: "target", contact: null, conversation: null, to: { phone: naming.phone } };
}

function contactTarget(
  contact: Doc<"contacts">,
  conversation: Doc<"conversations"> | null,
): Target | Refused {
  const { phone, userId } = contact;
  if (phone !== undefined) return { kind: "target", contact, conversation, to: { phone } };
  if (userId !== undefined) return { kind: "target", contact, conversation, to: { userId } };
  return refuse("invalid_recipient");
}

/** What the people of the conversation want: who writes in it, and whether the customer wants this kind of message. */
async function checkWishes(
  ctx: MutationCtx,
  draft: Draft,
  { contact, conversation }: Target,
): Promise<Refused | null> {
  const reason =
    (conversation === null ? null : checkMode(conversation, draft.principal)) ??
    (contact === null ? null : await checkConsent(ctx, contact, await purposeOf(ctx, draft)));
  return reason === null ? null : refuse(reason);
}

/** Whether the content may go to somebody whose window is closed, or who never wrote at all. */
export function needsWindow({ type }: Pick<Payload, "type">): boolean {
  return type !== "template";
}

/** A closed window is told with the templates that may be sent instead, the simplest first. */
async function checkWindow(
  ctx: QueryCtx,
  { account, now }: Draft,
  { payload }: SendableContent,
  { conversation }: Target,
): Promise<Refused | null> {
  if (!needsWindow(payload) || mayStillSend(conversation?.windowExpiresAt ?? null, now)) return null;
  const templates = await rankUsable(ctx, account._id, {});
  return { kind: "refused", refusal: { ...refusal("window_closed"), templates } };
}

async function checkRepetition(
  ctx: MutationCtx,
  { principal, clientRequestId, sendTwice, now }: Draft,
  { conversation }: Target,
  contentHash: string,
): Promise<Refused | null> {
  if (clientRequestId !== undefined || sendTwice === true || conversation === null) return null;
  const twin = await findRecentTwin(ctx, conversation._id, principalKey(principal), contentHash, now);
  if (twin === null) return null;
  return { kind: "refused", refusal: { ...refusal("duplicate_suspected"), message_id: twin.messageId } };
}

async function checkRates(
  ctx: MutationCtx,
  { principal }: Draft,
  { conversation }: Target,
): Promise<Refused | null> {
  const limited =
    (await checkRate(ctx, principal, "minute")) ??
    (conversation === null ? null : await checkLaneRoom(ctx, conversation._id)) ??
    (await checkRate(ctx, principal, "day"));
  return limited === null ? null : { kind: "refused", refusal: limited };
}

function checkSending({ sending }: Doc<"accounts">): Refused | null {
  return sending?.state === "paused" ? refuse("sending_paused") : null;
}
