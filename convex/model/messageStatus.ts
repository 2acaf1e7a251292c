import { addStatus, currentStatus, type StatusHistory } from "#shared/domain/message-status";
import type { SendState } from "#shared/domain/send-state";
import { type ErrorCode, errorSpec } from "#shared/errors";
import { statusErrorCode } from "#shared/whatsapp/graph-errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { appendMessageEvent } from "./messageEvents";

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
  const conversation = await ctx.db.get(message.conversationId);
  if (status !== "received" && conversation?.previewMessageId === messageId) {
    await ctx.db.patch(conversation._id, { previewStatus: status });
  }
}

/** Gives a message its wamid and everything that was reported under it before it was known here. */
export async function linkWamid(ctx: MutationCtx, message: Doc<"messages">, wamid: string): Promise<void> {
  if (message.wamid !== undefined) return;
  const taken = await ctx.db
    .query("messages")
    .withIndex("by_account_wamid", (q) => q.eq("accountId", message.accountId).eq("wamid", wamid))
    .unique();
  // Meta gave the id to a message that is stored already; taking it twice would break its uniqueness.
  if (taken !== null) return;
  await ctx.db.patch(message._id, { wamid });
  await joinParkedStatuses(ctx, message, wamid);
}

/** Applies the parked statuses of a wamid to its message. */
export async function joinParkedStatuses(
  ctx: MutationCtx,
  message: Pick<Doc<"messages">, "_id" | "accountId" | "statusHistory">,
  wamid: string,
): Promise<void> {
  const reports = await ctx.db
    .query("messageStatuses")
    .withIndex("by_account_wamid_status", (q) => q.eq("accountId", message.accountId).eq("wamid", wamid))
    .take(STATUSES_PER_MESSAGE_MAX);
  let history: StatusHistory = message.statusHistory;
  for (const report of reports) {
    history = addStatus(history, reportOf(report));
    if (report.messageId === undefined) {
      await ctx.db.patch(report._id, { messageId: message._id, parkedUntil: undefined });
    }
  }
  if (reports.length === 0) return;
  await ctx.db.patch(message._id, { statusHistory: history });
  for (const report of reports) {
    if (report.messageId === undefined) await appendStatusEvent(ctx, message._id, report);
  }
}

/** Tells the stream what Meta reported about a message. Called once the message is known; a copy tells nothing. */
export async function appendStatusEvent(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  report: Pick<Doc<"messageStatuses">, "wamid" | "status" | "timestamp" | "error">,
): Promise<void> {
  const { wamid, status, timestamp, error } = report;
  await appendMessageEvent(ctx, messageId, {
    type: "message.status.updated",
    dedupeKey: `${wamid}:${status}:${timestamp}`,
    occurredAt: timestamp,
    more: { status: { status, timestamp, ...(error !== undefined && { errorCode: error.code }) } },
  });
}

export function reportOf({
  status,
  timestamp,
  error,
}: Pick<Doc<"messageStatuses">, "status" | "timestamp" | "error">) {
  return { status, at: timestamp, ...(error !== undefined && { error }) };
}
