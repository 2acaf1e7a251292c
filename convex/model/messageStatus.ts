import { addStatus, currentStatus, type StatusHistory } from "#shared/domain/message-status";
import { laterPricing } from "#shared/domain/pricing";
import type { SendState } from "#shared/domain/send-state";
import { type ErrorCode, errorSpec } from "#shared/errors";
import { statusErrorCode } from "#shared/whatsapp/graph-errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { noteSendError } from "./consent";
import { extendFreeEntry } from "./conversations";
import { appendMessageEvent } from "./messageEvents";
import { refreshUnanswered } from "./unanswered";

/** Statuses of one message that are read together; Meta sends at most one of each kind and copies of them. */
const STATUSES_PER_MESSAGE_MAX = 64;

type Shown = Pick<Doc<"messages">, "status" | "error">;

/** How a failure is stored: our code and its safe sentence, never Meta's words. */
export function messageError(code: ErrorCode): { code: string; message: string } {
  return { code, message: errorSpec(code).say };
}

const BEFORE_REPORTS = {
  queued: "queued",
  claimed: "sending",
  dispatching: "sending",
  accepted: "sent",
  markedSent: "sent",
  rejected: "failed",
  cancelled: "failed",
  unknown: "unknown",
} as const satisfies Record<SendState, Doc<"messages">["status"]>;

/**
 * The status to show for an outbound message: what Meta reported, or else how far the send has come. `send` is null
 * for a message from the business phone, which WhatsApp had before we heard of it.
 */
export function shownStatus(
  history: StatusHistory,
  send: Pick<Doc<"outbox">, "state" | "error"> | null,
): Shown {
  const reported = currentStatus(history);
  if (reported === "failed")
    return { status: reported, error: messageError(statusErrorCode(history.error?.code)) };
  if (reported !== null) return { status: reported };
  if (send === null) return { status: "sent" };
  const status = BEFORE_REPORTS[send.state];
  return send.error !== undefined && status === "failed" ? { status, error: send.error } : { status };
}

/** Recomputes the shown status of an outbound message, and the tick in the list if it is the newest one there. */
export async function refreshStatus(ctx: MutationCtx, messageId: Id<"messages">): Promise<void> {
  const message = await ctx.db.get(messageId);
  if (message === null || message.direction !== "outbound") return;
  const send = await ctx.db
    .query("outbox")
    .withIndex("by_message", (q) => q.eq("messageId", messageId))
    .unique();
  const { status, error } = shownStatus(message.statusHistory, send);
  const unknownSince = status === "unknown" ? send?.unknownSince : undefined;
  await ctx.db.patch(messageId, { status, error, unknownSince });
  if ((status === "failed") !== (message.status === "failed")) {
    await refreshUnanswered(ctx, message.conversationId);
  }
  const conversation = await ctx.db.get(message.conversationId);
  if (status !== "received" && conversation?.previewMessageId === messageId) {
    await ctx.db.patch(conversation._id, { previewStatus: status });
  }
}

/**
 * Applies to an outbound message the reports under its wamid that it has not had yet, and tells the stream about
 * each. The result does not depend on the order in which they came.
 */
export async function joinParkedStatuses(
  ctx: MutationCtx,
  message: Doc<"messages">,
  wamid: string,
): Promise<void> {
  const reports = await ctx.db
    .query("messageStatuses")
    .withIndex("by_account_wamid_status", (q) => q.eq("accountId", message.accountId).eq("wamid", wamid))
    .take(STATUSES_PER_MESSAGE_MAX);
  const news = reports.filter((report) => report.messageId === undefined);
  for (const report of news) {
    await ctx.db.patch(report._id, { messageId: message._id, parkedUntil: undefined });
  }
  // Meta reports nothing about what a customer sent; such a report is kept, and nothing follows from it.
  if (news.length === 0 || message.direction === "inbound") return;
  const statusHistory = news.reduce<StatusHistory>(
    (history, report) => addStatus(history, reportOf(report)),
    message.statusHistory,
  );
  const pricing = news.map((report) => report.pricing).reduce(laterPricing, message.pricing);
  await ctx.db.patch(message._id, { statusHistory, ...(pricing !== undefined && { pricing }) });
  await refreshStatus(ctx, message._id);
  for (const report of news) {
    if (report.freeEntryExpiresAt !== undefined)
      await extendFreeEntry(ctx, message.conversationId, report.freeEntryExpiresAt);
    await noteSendError(ctx, message.contactId, report.error?.code, report.timestamp, wamid);
    await appendStatusEvent(ctx, message._id, report);
  }
}

async function appendStatusEvent(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  report: Doc<"messageStatuses">,
): Promise<void> {
  const { wamid, status, timestamp, error } = report;
  await appendMessageEvent(ctx, messageId, {
    type: "message.status.updated",
    dedupeKey: `${wamid}:${status}:${timestamp}`,
    occurredAt: timestamp,
    more: { status: { status, timestamp, ...(error !== undefined && { errorCode: error.code }) } },
  });
}

function reportOf({ status, timestamp, error }: Doc<"messageStatuses">) {
  return { status, at: timestamp, ...(error !== undefined && { error }) };
}
