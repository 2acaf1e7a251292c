import { defined } from "#shared/defined";
import { addStatus, isMetaStatus, type StatusHistory } from "#shared/domain/message-status";
import { DAY_MS } from "#shared/time";
import type { EchoItem, HistoryItem, MessageContent, MessageItem } from "#shared/whatsapp/webhook-types";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { noteInboundText } from "./consent";
import { changeIds, ensureContact } from "./contacts";
import {
  type Activity,
  activityChanges,
  type ConversationChanges,
  ensureConversation,
  noteInbound,
  tellUnarchived,
} from "./conversations";
import { isOwnContent, type OwnContent, type StoredContent, storedContent } from "./inboundContent";
import type { ItemOutcome } from "./itemOutcome";
import { startMediaDownload } from "./media";
import { appendMessageEvent, type MessageSetting } from "./messageEvents";
import { joinWaiting } from "./messageJoin";
import { refreshStatus } from "./messageStatus";
import { appendMessage, findByWamid } from "./messages";
import { searchTextOf } from "./messageText";
import { addReaction } from "./reactions";
import { addRevision } from "./revisions";
import { refreshUnanswered } from "./unanswered";

/** A message older than this was not repeated by Meta (7 days at most) but replayed or held back by somebody. */
const LATE_MS = 8 * DAY_MS;

/** What the history of the phone app holds in place of a file, until the file follows. */
const PLACEHOLDER_TYPE = "media_placeholder";

type Item = MessageItem | EchoItem | HistoryItem;

/** What is settled about an item before its content is looked at. */
interface Arrival {
  account: Doc<"accounts">;
  contact: Doc<"contacts">;
  item: Item;
  wamid: string;
  from: "customer" | "business";
  timestamp: number;
  /** Handed over from the history of the phone app: opens no window, counts for nobody and raises no event. */
  quiet: boolean;
  now: number;
}

/**
 * Stores a message of the customer, of the business's own phone, or of the phone's history, or what one of them says
 * about another message (a reaction, an edit, a revocation).
 */
export async function applyMessage(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  item: Item,
  now: number,
): Promise<ItemOutcome> {
  const { wamid, content } = item;
  if (wamid === undefined) return { state: "dead", reason: "no_message_id" };
  // Groups have members, not one customer: in a one-to-one thread their messages would reach the wrong people.
  if (item.groupId !== undefined) return { state: "kept", reason: "group" };
  const from = authorOf(item);
  if (from === null) return { state: "kept", reason: "no_author" };
  const timestamp = item.timestampMs ?? now;
  const contact = await ensureContact(ctx, account._id, item.customer, { at: timestamp, wamid });
  if (contact === null) return { state: "dead", reason: "no_sender" };
  const quiet = item.kind === "history";
  const arrival: Arrival = { account, contact, item, wamid, from, timestamp, quiet, now };
  return { ...(await applyContent(ctx, arrival, content)), contactId: contact._id };
}

async function applyContent(
  ctx: MutationCtx,
  arrival: Arrival,
  content: MessageContent,
): Promise<ItemOutcome> {
  if (content.type === "reaction") return await applyReaction(ctx, arrival, content);
  return isOwnContent(content)
    ? await applyOwn(ctx, arrival, content)
    : await applyRevision(ctx, arrival, content);
}

function authorOf(item: Item): "customer" | "business" | null {
  if (item.kind !== "history") return item.kind === "message" ? "customer" : "business";
  if (item.fromBusiness === undefined) return null;
  return item.fromBusiness ? "business" : "customer";
}

async function applyOwn(ctx: MutationCtx, arrival: Arrival, content: OwnContent): Promise<ItemOutcome> {
  const { account, item, wamid, quiet, now } = arrival;
  const stored = storedContent(content, item.errors);
  const known = await findByWamid(ctx, account._id, wamid);
  if (known !== null) {
    const filled = await fillPlaceholder(ctx, known, stored, now);
    const learned = await learnHistoryStatus(ctx, known, item);
    const wasImported = known.imported === true && !quiet;
    if (wasImported) {
      await ctx.db.patch(known._id, { imported: undefined });
      await refreshUnanswered(ctx, known.conversationId);
      await announceImported(ctx, arrival, known._id, content);
    }
    return { state: filled || learned || wasImported ? "processed" : "duplicate" };
  }
  const { line, ...columns } = stored;
  const conversation = await ensureConversation(ctx, arrival.contact);
  const activity = quiet ? null : activityOf(arrival, content);
  const moved: ConversationChanges = activity === null ? {} : activityChanges(conversation, activity, now);
  const messageId = await appendMessage(
    ctx,
    conversation,
    { ...columns, ...circumstances(arrival), ...(quiet && { imported: true }) },
    line,
    now,
    moved,
  );
  if (arrival.from === "business") await refreshStatus(ctx, messageId);
  await startMediaDownload(ctx, messageId, columns.media?.sha256, now);
  if (activity !== null) await tellUnarchived(ctx, conversation, activity);
  const windowExpiresAt = moved.windowExpiresAt ?? conversation.windowExpiresAt;
  if (!quiet)
    await announce(ctx, arrival, messageId, content, {
      _id: conversation._id,
      ...defined({ windowExpiresAt }),
    });
  if (content.type === "system" && !quiet) await applyNotice(ctx, arrival, content);
  await joinWaiting(ctx, messageId, now);
  return { state: "processed" };
}

/** Everything of a message's row that is not its content. */
function circumstances({ item, wamid, from, timestamp, quiet, now }: Arrival) {
  const inbound = from === "customer";
  const { context, referral } = item;
  return {
    direction: inbound ? ("inbound" as const) : ("outbound" as const),
    wamid,
    status: inbound ? ("received" as const) : ("sent" as const),
    statusHistory: inbound ? {} : historyStatus(item, timestamp),
    sender: { kind: inbound ? ("customer" as const) : ("phone" as const) },
    timestamp,
    ...(!quiet && now - timestamp > LATE_MS && { late: true }),
    ...(context?.forwarded && { forwarded: true }),
    ...(context?.product !== undefined && {
      product: defined({ catalogId: context.product.catalogId, productId: context.product.retailerId }),
    }),
    ...defined({ replyToWamid: context?.wamid, referral: referral && { ...referral } }),
  };
}

/** What a live message of the customer does to its conversation; null for one of the business. */
function activityOf({ item, wamid, from, timestamp }: Arrival, content: OwnContent): Activity | null {
  if (from !== "customer") return null;
  const fromPerson = content.type !== "system";
  return {
    kind: "message",
    wamid,
    timestamp,
    opensWindow: fromPerson,
    countsAsUnread: fromPerson,
    referred: item.referral !== undefined,
  };
}

/** A message that was known from the phone's history comes live: now it counts. */
async function announceImported(
  ctx: MutationCtx,
  arrival: Arrival,
  messageId: Doc<"messages">["_id"],
  content: OwnContent,
): Promise<void> {
  const { _id } = await ensureConversation(ctx, arrival.contact);
  const activity = activityOf(arrival, content);
  if (activity !== null) await noteInbound(ctx, _id, activity, arrival.now);
  await announce(ctx, arrival, messageId, content, await ensureConversation(ctx, arrival.contact));
}

/** A live message has happened: everybody who listens is told. `conversation` as the message left it. */
async function announce(
  ctx: MutationCtx,
  { account, contact, wamid, from, timestamp }: Arrival,
  messageId: Doc<"messages">["_id"],
  content: OwnContent,
  conversation: MessageSetting["conversation"],
): Promise<void> {
  const inbound = from === "customer";
  const words = content.type === "text" || content.type === "button" ? content.text : undefined;
  if (inbound && words !== undefined) await noteInboundText(ctx, contact, words, timestamp, wamid);
  await appendMessageEvent(ctx, messageId, {
    type: inbound ? "message.inbound.received" : "message.outbound.sent",
    dedupeKey: wamid,
    occurredAt: timestamp,
    source: "meta_webhook",
    setting: { account, contact, conversation },
  });
}

/** WhatsApp's own notice that a customer has another number or another id. The notice came under the old one. */
async function applyNotice(
  ctx: MutationCtx,
  { contact, timestamp, wamid }: Arrival,
  notice: Extract<MessageContent, { type: "system" }>,
): Promise<void> {
  const ids = { waId: notice.newWaId, userId: notice.newUserId, parentUserId: notice.newParentUserId };
  const reason = noticeOf(notice.event);
  if (reason !== undefined) await changeIds(ctx, contact, ids, reason, { at: timestamp, wamid });
}

/** Meta's words, also the older ones. `customer_identity_changed` is about keys and changes no id. */
function noticeOf(event: string | undefined): "number_changed" | "id_changed" | undefined {
  if (event === "user_changed_number" || event === "customer_changed_number") return "number_changed";
  return event === "user_changed_user_id" ? "id_changed" : undefined;
}

/** The file of an imported message comes later than its place in the thread. */
async function fillPlaceholder(
  ctx: MutationCtx,
  known: Doc<"messages">,
  stored: StoredContent,
  now: number,
): Promise<boolean> {
  if (known.type !== PLACEHOLDER_TYPE || stored.type === PLACEHOLDER_TYPE) return false;
  const { line, ...columns } = stored;
  await ctx.db.patch(known._id, { ...columns, raw: columns.raw, searchText: searchTextOf(columns) });
  const conversation = await ctx.db.get(known.conversationId);
  if (conversation?.previewMessageId === known._id) await ctx.db.patch(conversation._id, { preview: line });
  await startMediaDownload(ctx, known._id, columns.media?.sha256, now);
  return true;
}

/** How far an imported message of the business had come when it was handed over. */
function historyStatus(item: Item, timestamp: number): StatusHistory {
  const word = item.kind === "history" ? item.status?.toLowerCase() : undefined;
  const status = word === "error" ? "failed" : word;
  return isMetaStatus(status) ? addStatus({}, { status, at: timestamp }) : {};
}

/** The history may also tell about a message that came live. Returns whether it told anything new. */
async function learnHistoryStatus(ctx: MutationCtx, known: Doc<"messages">, item: Item): Promise<boolean> {
  if (known.direction === "inbound") return false;
  const learned = historyStatus(item, known.timestamp);
  const fresh = Object.keys(learned).some((field) => !Object.hasOwn(known.statusHistory, field));
  if (!fresh) return false;
  await ctx.db.patch(known._id, { statusHistory: { ...learned, ...known.statusHistory } });
  await refreshStatus(ctx, known._id);
  return true;
}

async function applyReaction(
  ctx: MutationCtx,
  arrival: Arrival,
  content: Extract<MessageContent, { type: "reaction" }>,
): Promise<ItemOutcome> {
  if (content.targetWamid === undefined) return { state: "dead", reason: "no_target" };
  const { account, contact, wamid, from, timestamp, quiet, now } = arrival;
  const reaction = { targetWamid: content.targetWamid, emoji: content.emoji ?? "" };
  const added = await addReaction(
    ctx,
    { accountId: account._id, wamid, ...reaction, from, timestamp, ...(quiet && { imported: true }) },
    now,
  );
  if (!added) return { state: "duplicate" };
  if (from === "customer" && !quiet) {
    // Meta counts a reaction as the customer's activity, but nobody has to read it.
    const conversation = await ensureConversation(ctx, contact);
    await noteInbound(
      ctx,
      conversation._id,
      { kind: "reaction", wamid, timestamp, opensWindow: true, countsAsUnread: false },
      now,
    );
  }
  return { state: "processed" };
}

/**
 * Whether an edit or a revocation opens the window is nowhere said, so it does not: an answer that is refused here
 * can be given by template, one that Meta refuses is lost.
 */
async function applyRevision(
  ctx: MutationCtx,
  arrival: Arrival,
  content: Extract<MessageContent, { type: "edit" | "revoke" }>,
): Promise<ItemOutcome> {
  const { account, contact, item, wamid, from, timestamp, quiet, now } = arrival;
  if (content.originalWamid === undefined) return { state: "dead", reason: "no_target" };
  const revision = {
    accountId: account._id,
    contactId: contact._id,
    wamid,
    targetWamid: content.originalWamid,
    kind: content.type,
    from,
    timestamp,
    ...(quiet && { imported: true }),
  };
  if (content.type === "edit") {
    if (!isOwnContent(content.content)) return { state: "dead", reason: "no_content" };
    const stored = storedContent(content.content, item.errors);
    const added = await addRevision(ctx, { ...revision, content: stored }, now);
    return { state: added ? "processed" : "duplicate" };
  }
  const added = await addRevision(ctx, revision, now);
  return { state: added ? "processed" : "duplicate" };
}
