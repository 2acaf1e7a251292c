import { defined } from "#shared/defined";
import { addStatus, isMetaStatus } from "#shared/domain/message-status";
import { parseCallbackData } from "#shared/ids";
import { DAY_MS } from "#shared/time";
import type { StatusItem } from "#shared/whatsapp/webhook-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { noteSendError } from "./consent";
import type { ItemOutcome } from "./inbound";
import { appendStatusEvent, refreshStatus, reportOf } from "./messageStatus";
import { findByWamid } from "./messages";
import { acceptByStatus } from "./sendMachine";

/** How long a status waits for its message. Meta repeats webhooks for up to 7 days, so nothing later can explain it. */
const PARKED_MS = 7 * DAY_MS;

/** Longest text of Meta's error that is kept with a status, for operators. */
const ERROR_CHARACTERS_MAX = 500;

/**
 * Records one status and moves its message. The message is found by its wamid, else by the callback data that the
 * send carried (which is how a send with an unknown outcome is resolved); a status for neither is parked.
 */
export async function applyStatus(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  item: StatusItem,
  now: number,
): Promise<ItemOutcome> {
  const { wamid, status } = item;
  if (wamid === undefined) return { state: "dead", reason: "no_message_id" };
  if (!isMetaStatus(status)) return { state: "kept", reason: "unknown_status" };
  const report = { accountId, wamid, status, timestamp: item.timestampMs ?? now, ...details(item) };
  const known = await ctx.db
    .query("messageStatuses")
    .withIndex("by_account_wamid_status", (q) =>
      q.eq("accountId", accountId).eq("wamid", wamid).eq("status", status).eq("timestamp", report.timestamp),
    )
    .unique();
  if (known !== null) return { state: "duplicate" };
  const statusId = await ctx.db.insert("messageStatuses", { ...report, parkedUntil: now + PARKED_MS });
  await acceptBySend(ctx, accountId, item, now);
  const message = await findByWamid(ctx, accountId, wamid);
  // Linking the wamid to its send has joined this row already; otherwise it is joined here or stays parked.
  if (message === null) return { state: "processed", reason: "parked" };
  const joined = await ctx.db.get(statusId);
  if (joined?.messageId === undefined) {
    await ctx.db.patch(statusId, { messageId: message._id, parkedUntil: undefined });
    await ctx.db.patch(message._id, { statusHistory: addStatus(message.statusHistory, reportOf(report)) });
  }
  await refreshStatus(ctx, message._id);
  await noteSendError(ctx, message.contactId, report.error?.code, report.timestamp, wamid);
  if (joined?.messageId === undefined) await appendStatusEvent(ctx, message._id, report);
  return { state: "processed" };
}

function details(item: StatusItem): Pick<Doc<"messageStatuses">, "error" | "callbackData"> {
  const [error] = item.errors;
  const message = error?.details ?? error?.message ?? error?.title ?? "";
  return {
    ...(error?.code !== undefined && {
      error: { code: error.code, message: message.slice(0, ERROR_CHARACTERS_MAX) },
    }),
    ...defined({ callbackData: item.callbackData }),
  };
}

/** A status is Meta's word that it has the message: the send behind it is accepted, whatever was concluded before. */
async function acceptBySend(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  item: StatusItem,
  now: number,
): Promise<void> {
  const callback = parseCallbackData(item.callbackData);
  const outboxId = callback === null ? null : ctx.db.normalizeId("outbox", callback.sendId);
  const row = outboxId === null ? null : await ctx.db.get(outboxId);
  if (row === null || row.accountId !== accountId || item.wamid === undefined) return;
  await acceptByStatus(ctx, row, item.wamid, now);
}
