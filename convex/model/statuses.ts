import { defined } from "#shared/defined";
import { PARKED_MS } from "#shared/domain/limits";
import { isMetaStatus } from "#shared/domain/message-status";
import { parseCallbackData } from "#shared/ids";
import type { StatusItem } from "#shared/whatsapp/webhook-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { ItemOutcome } from "./itemOutcome";
import { joinParkedStatuses } from "./messageStatus";
import { findByWamid } from "./messages";
import { acceptByStatus } from "./sendMachine";

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
  // In a group each member has a status of their own, and the messages of groups are not shown.
  if (item.participant !== undefined) return { state: "kept", reason: "group" };
  if (!isMetaStatus(status)) return { state: "kept", reason: "unknown_status" };
  const timestamp = item.timestampMs ?? now;
  const report = { accountId, wamid, status, timestamp, ...details(item, timestamp) };
  const known = await ctx.db
    .query("messageStatuses")
    .withIndex("by_account_wamid_status", (q) =>
      q.eq("accountId", accountId).eq("wamid", wamid).eq("status", status).eq("timestamp", timestamp),
    )
    .unique();
  if (known !== null) return { state: "duplicate" };
  await ctx.db.insert("messageStatuses", { ...report, parkedUntil: now + PARKED_MS });
  await acceptBySend(ctx, accountId, item, now);
  const message = await findByWamid(ctx, accountId, wamid);
  if (message === null) return { state: "processed", reason: "parked" };
  await joinParkedStatuses(ctx, message, wamid);
  return { state: "processed" };
}

function details(
  item: StatusItem,
  at: number,
): Pick<Doc<"messageStatuses">, "error" | "callbackData" | "pricing" | "freeEntryExpiresAt"> {
  const [error] = item.errors;
  const message = error?.details ?? error?.message ?? error?.title ?? "";
  return {
    ...(error?.code !== undefined && {
      error: { code: error.code, message: message.slice(0, ERROR_CHARACTERS_MAX) },
    }),
    ...defined({
      callbackData: item.callbackData,
      pricing: pricingOf(item, at),
      freeEntryExpiresAt: freeEntryEnd(item),
    }),
  };
}

function pricingOf({ pricing, conversation }: StatusItem, at: number): Doc<"messageStatuses">["pricing"] {
  if (pricing === undefined) return undefined;
  const { billable, model, type, category } = pricing;
  return { at, ...defined({ billable, model, type, category, origin: conversation?.origin }) };
}

/** Since v24.0 a status names its conversation only for the free 72 hours after an advertisement. */
function freeEntryEnd({ pricing, conversation }: StatusItem): number | undefined {
  const free = pricing?.type === "free_entry_point" || conversation?.origin === "referral_conversion";
  return free ? conversation?.expiresAtMs : undefined;
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
