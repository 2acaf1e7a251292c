import { type Infer, v } from "convex/values";
import { backoffMs, NOT_SENT_BACKOFF, PAIR_LIMIT_BACKOFF } from "#shared/backoff";
import { SEND_LEASE_MS } from "#shared/domain/limits";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { pauseSending } from "./accountEvents";
import { leaveLane } from "./lane";
import { pauseNumber } from "./pace";
import { acceptSend, cancelSend, doubtSend, endSend, postponeSend } from "./sendMoves";

/**
 * What the outbox row learns after its request left: the worker's report, a status webhook, the end of a hold. One
 * transaction per step. docs/decisions/0007-claim-settle-outbox.md tells why it is built so.
 */

/** How the worker's part of an attempt ended. Codes only: Meta's words never enter the database from here. */
export const sendReport = v.union(
  v.object({ event: v.literal("accepted"), wamid: v.string(), waId: v.optional(v.string()) }),
  v.object({ event: v.literal("rejected"), code: v.string(), reason: v.string() }),
  v.object({
    event: v.literal("rateLimited"),
    code: v.string(),
    reason: v.string(),
    retryAfterMs: v.optional(v.number()),
  }),
  v.object({ event: v.literal("notSent"), reason: v.string() }),
  v.object({ event: v.literal("unknown"), reason: v.string() }),
  v.object({ event: v.literal("cancel"), code: v.string() }),
);
export type SendReport = Infer<typeof sendReport>;

/** Records how an attempt ended. A report of another attempt than the latest changes nothing. */
export async function settleSend(
  ctx: MutationCtx,
  outboxId: Id<"outbox">,
  claimToken: string,
  report: SendReport,
  now: number,
): Promise<void> {
  const row = await ctx.db.get(outboxId);
  if (row === null || row.claimToken !== claimToken) return;
  switch (report.event) {
    case "accepted":
      return await acceptSend(ctx, row, "accepted", report.wamid, report.waId, now);
    case "rejected":
      if (report.code === "whatsapp_auth") await stopForToken(ctx, row, now);
      return await endSend(ctx, row, "rejected", report.code, report.reason, now);
    case "rateLimited":
      return await delaySend(ctx, row, report, now);
    case "notSent": {
      const wait = backoffMs(NOT_SENT_BACKOFF, row.attempt, Math.random());
      return await postponeSend(ctx, row, report.event, "whatsapp_unreachable", report.reason, wait, now);
    }
    case "unknown":
      return await doubtSend(ctx, row, "unknown", report.reason, now);
    case "cancel":
      return await cancelSend(ctx, row, report.code, now);
    default:
      return report satisfies never;
  }
}

/** A status webhook carried this send's callback data: whatever was concluded before, Meta has the message. */
export async function acceptByStatus(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  wamid: string,
  now: number,
): Promise<void> {
  await acceptSend(ctx, row, "statusArrived", wamid, undefined, now);
}

/** Lets the later messages of a conversation go although the outcome of this one is still unknown. */
export async function releaseHold(ctx: MutationCtx, outboxId: Id<"outbox">, now: number): Promise<void> {
  const row = await ctx.db.get(outboxId);
  if (row?.open && row.state === "unknown" && row.dueAt <= now) await leaveLane(ctx, row, now);
}

/**
 * Meta no longer takes the token: every other send of the account would be refused as well, so they wait until there
 * is a new one. A token that was replaced while this request was on its way is not blamed for it.
 */
async function stopForToken(ctx: MutationCtx, row: Doc<"outbox">, now: number): Promise<void> {
  const account = await ctx.db.get(row.accountId);
  const dispatchedAt = row.dueAt - SEND_LEASE_MS;
  if (account === null || (account.sending?.at ?? 0) >= dispatchedAt) return;
  await pauseSending(ctx, row.accountId, "token_invalid", now);
}

/** Meta refused for a rate: the pair's holds back this lane, every other one the whole number. */
async function delaySend(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  report: Extract<SendReport, { event: "rateLimited" }>,
  now: number,
): Promise<void> {
  const { event, code, reason, retryAfterMs = NOT_SENT_BACKOFF.firstMs } = report;
  if (code === "whatsapp_pair_limited") {
    const waitMs = Math.max(retryAfterMs, backoffMs(PAIR_LIMIT_BACKOFF, row.attempt, Math.random()));
    return await postponeSend(ctx, row, event, code, reason, waitMs, now);
  }
  const until = await pauseNumber(ctx, row.accountId, retryAfterMs, now);
  await postponeSend(ctx, row, event, code, reason, until - now, now);
}
