import { defined } from "#shared/defined";
import { callState } from "#shared/domain/call-state";
import type { WebhookEvent } from "#shared/whatsapp/webhook-events-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { ensureContact } from "./contacts";
import { ensureConversation, noteInbound } from "./conversations";
import type { ItemOutcome } from "./itemOutcome";
import { appendMessageEvent } from "./messageEvents";
import { appendMessage, findByWamid, sortTime } from "./messages";

type CallEvent = Extract<WebhookEvent, { type: "call" }>;

/** What is told about one call: ringing, an answer, an end, a recording; a few each. */
const EVENTS_PER_CALL_MAX = 64;

/** The line of a call in the list of conversations. */
const CALL_LINE = { inbound: "Call", outbound: "Call to the customer" } as const;

/**
 * Notes what Meta told about a call and shows the call in its thread, under its id, as one message that follows all
 * that was told. A call by the customer opens the window (Meta: "Customer service windows") and is unread once.
 */
export async function applyCall(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  event: CallEvent,
  now: number,
): Promise<ItemOutcome> {
  const { callId } = event;
  if (callId === undefined) return { state: "dead", reason: "no_message_id" };
  const timestamp = event.atMs ?? now;
  const contact = await ensureContact(ctx, account._id, event.customer, { at: timestamp, wamid: callId });
  if (contact === null) return { state: "dead", reason: "no_sender" };
  const told = await factsOf(ctx, account._id, callId);
  const { status, durationSeconds } = event;
  const fact = { event: event.event, timestamp, ...defined({ status, durationSeconds }) };
  const known = told.some(
    (other) => other.event === fact.event && other.status === status && other.timestamp === timestamp,
  );
  if (known) return { state: "duplicate" };
  await ctx.db.insert("callEvents", { accountId: account._id, callId, ...fact });
  const messageId = await showCall(ctx, contact, event, callId, timestamp, now);
  await ctx.db.patch(messageId, { call: callState([...told, fact]) });
  await appendMessageEvent(ctx, messageId, {
    type: "call.updated",
    dedupeKey: `${callId}:${event.event}:${status ?? ""}:${timestamp}`,
    occurredAt: timestamp,
  });
  return { state: "processed" };
}

async function factsOf(ctx: MutationCtx, accountId: Id<"accounts">, callId: string) {
  return await ctx.db
    .query("callEvents")
    .withIndex("by_account_call", (q) => q.eq("accountId", accountId).eq("callId", callId))
    .take(EVENTS_PER_CALL_MAX);
}

/** The message that stands for the call. It stands where the call began, also when its beginning is told last. */
async function showCall(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
  event: CallEvent,
  callId: string,
  timestamp: number,
  now: number,
): Promise<Id<"messages">> {
  const known = await findByWamid(ctx, contact.accountId, callId);
  const inbound = event.fromCustomer !== false;
  if (known !== null) {
    if (timestamp < known.timestamp)
      await ctx.db.patch(known._id, { timestamp, sortAt: sortTime(timestamp, now) });
    return known._id;
  }
  const conversation = await ensureConversation(ctx, contact);
  const direction = inbound ? "inbound" : "outbound";
  const messageId = await appendMessage(
    ctx,
    conversation,
    {
      direction,
      type: "call",
      call: { state: "ringing" },
      wamid: callId,
      status: inbound ? "received" : "sent",
      sender: { kind: inbound ? "customer" : "phone" },
      timestamp,
    },
    CALL_LINE[direction],
    now,
  );
  if (inbound) {
    const activity = {
      kind: "call",
      wamid: callId,
      timestamp,
      opensWindow: true,
      countsAsUnread: true,
    } as const;
    await noteInbound(ctx, conversation._id, activity, now);
  }
  return messageId;
}
