import { defined } from "#shared/defined";
import { DAY_MS } from "#shared/time";
import { contentPreview } from "#shared/whatsapp/preview";
import type {
  EchoItem,
  MediaContent,
  MessageContent,
  MessageItem,
  WebhookItem,
} from "#shared/whatsapp/webhook-types";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { noteInboundText } from "./consent";
import { ensureContact } from "./contacts";
import { ensureConversation } from "./conversations";
import { applyFieldEvent, type EventScope } from "./fieldEvents";
import { startMediaDownload } from "./media";
import { appendMessageEvent } from "./messageEvents";
import { appendMessage, findByWamid, type NewMessage, noteInbound } from "./messages";
import { addReaction } from "./reactions";
import { applyStatus } from "./statuses";

/** What became of one item; the reason is a code. */
export interface ItemOutcome {
  state: Doc<"webhookItems">["state"];
  reason?: string;
}

/** A message older than this was not repeated by Meta (7 days at most) but replayed or held back by somebody. */
const LATE_MS = 8 * DAY_MS;

/**
 * Applies one item of a verified body to the account that it belongs to. Applying it again changes nothing. Meant to
 * run as its own subtransaction: when it throws, nothing of the item is stored and its neighbours go on.
 */
export async function applyItem(
  ctx: MutationCtx,
  scope: EventScope,
  item: WebhookItem,
  now: number,
): Promise<ItemOutcome> {
  if (item.kind === "event") return await applyFieldEvent(ctx, scope, item, now);
  if (scope.kind === "waba") return withoutNumber(item);
  const { account } = scope;
  switch (item.kind) {
    case "message":
    case "echo":
      return await applyMessage(ctx, account, item, now);
    case "status":
      return await applyStatus(ctx, account._id, item, now);
    case "error":
      return { state: "kept", reason: "account_error" };
    case "history":
    case "standby":
      return { state: "kept", reason: item.kind };
    case "other":
      return item.reason === "field"
        ? { state: "kept", reason: "field" }
        : { state: "dead", reason: item.reason };
    default:
      return item satisfies never;
  }
}

/** Updates of a WhatsApp Business account name no number and are kept; a message or status without one has no home. */
function withoutNumber(item: WebhookItem): ItemOutcome {
  const kept = item.kind === "other" || item.kind === "error";
  return kept ? { state: "kept", reason: "field" } : { state: "dead", reason: "no_number" };
}

async function applyMessage(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  item: MessageItem | EchoItem,
  now: number,
): Promise<ItemOutcome> {
  const { wamid, content } = item;
  if (wamid === undefined) return { state: "dead", reason: "no_message_id" };
  // Groups have members, not one customer: in a one-to-one thread their messages would reach the wrong people.
  if (item.groupId !== undefined) return { state: "kept", reason: "group" };
  if (content.type === "reaction") return await applyReaction(ctx, account, item, wamid, content, now);
  if ((await findByWamid(ctx, account._id, wamid)) !== null) return { state: "duplicate" };
  const contact = await ensureContact(ctx, account._id, item.customer);
  if (contact === null) return { state: "dead", reason: "no_sender" };
  const conversation = await ensureConversation(ctx, contact);
  const timestamp = item.timestampMs ?? now;
  const inbound = item.kind === "message";
  const messageId = await appendMessage(
    ctx,
    conversation,
    {
      ...storedContent(content),
      direction: inbound ? "inbound" : "outbound",
      wamid,
      status: inbound ? "received" : "sent",
      sender: { kind: inbound ? "customer" : "phone" },
      timestamp,
      ...(now - timestamp > LATE_MS && { late: true }),
      ...defined({ replyToWamid: item.context?.wamid }),
    },
    contentPreview(content),
    now,
  );
  if (inbound) {
    const fromPerson = content.type !== "system";
    await noteInbound(
      ctx,
      conversation._id,
      { timestamp, opensWindow: fromPerson, countsAsUnread: fromPerson },
      now,
    );
    await noteInboundText(ctx, contact, writtenText(content), timestamp, wamid);
  }
  await startMediaDownload(ctx, messageId, "sha256" in content ? content.sha256 : undefined, now);
  await appendMessageEvent(ctx, messageId, {
    type: inbound ? "message.inbound.received" : "message.outbound.sent",
    dedupeKey: wamid,
    occurredAt: timestamp,
    source: "meta_webhook",
  });
  return { state: "processed" };
}

/** What the customer said in words, by typing them or by tapping a button that carries them. */
function writtenText(content: MessageContent): string {
  switch (content.type) {
    case "text":
    case "button":
      return content.text ?? "";
    case "interactive":
      return content.title ?? "";
    default:
      return "";
  }
}

async function applyReaction(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  item: MessageItem | EchoItem,
  wamid: string,
  content: Extract<MessageContent, { type: "reaction" }>,
  now: number,
): Promise<ItemOutcome> {
  if (content.targetWamid === undefined) return { state: "dead", reason: "no_target" };
  const contact = await ensureContact(ctx, account._id, item.customer);
  if (contact === null) return { state: "dead", reason: "no_sender" };
  const inbound = item.kind === "message";
  const timestamp = item.timestampMs ?? now;
  const added = await addReaction(ctx, {
    accountId: account._id,
    wamid,
    targetWamid: content.targetWamid,
    from: inbound ? "customer" : "business",
    emoji: content.emoji ?? "",
    timestamp,
  });
  if (!added) return { state: "duplicate" };
  const target = await findByWamid(ctx, account._id, content.targetWamid);
  if (target !== null) {
    await appendMessageEvent(ctx, target._id, {
      type: "message.reaction.changed",
      dedupeKey: wamid,
      occurredAt: timestamp,
    });
  }
  if (inbound) {
    // Meta counts a reaction as the customer's activity, but nobody has to read it.
    const conversation = await ensureConversation(ctx, contact);
    await noteInbound(ctx, conversation._id, { timestamp, opensWindow: true, countsAsUnread: false }, now);
  }
  return { state: "processed" };
}

type StoredContent = Pick<NewMessage, "type" | "text" | "caption" | "media" | "raw">;

/** The columns of a content. What has no column of its own is kept as JSON text, so that a later version can show it. */
function storedContent(content: Exclude<MessageContent, { type: "reaction" }>): StoredContent {
  switch (content.type) {
    case "text":
      return { type: content.type, text: content.text };
    case "image":
    case "video":
    case "audio":
    case "voice":
    case "sticker":
    case "document":
      return { type: content.type, media: storedMedia(content), ...defined({ caption: content.caption }) };
    case "button":
      return { type: content.type, ...defined({ text: content.text }), raw: JSON.stringify(content) };
    case "interactive":
      return { type: content.type, ...defined({ text: content.title }), raw: content.raw };
    case "order":
      return { type: content.type, ...defined({ text: content.text }), raw: content.raw };
    case "system":
      return { type: content.type, ...defined({ text: content.body }), raw: content.raw };
    case "contacts":
      return { type: content.type, raw: content.raw };
    case "unsupported":
      return { type: content.label ?? content.type, raw: content.raw };
    case "other":
      return { type: content.label, raw: content.raw };
    case "location":
    case "edit":
    case "revoke":
      return { type: content.type, raw: JSON.stringify(content) };
    default:
      return content satisfies never;
  }
}

function storedMedia(content: MediaContent): NonNullable<NewMessage["media"]> {
  const described = defined({ mime: content.mimeType, filename: content.filename });
  // Meta sends no id when it could not fetch the file from the customer's phone itself.
  if (content.mediaId === undefined) {
    return { state: "failed", graphMediaId: "", reason: "no_media_id", ...described };
  }
  return { state: "pending", graphMediaId: content.mediaId, ...described };
}
