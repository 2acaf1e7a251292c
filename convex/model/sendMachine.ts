import { type Infer, v } from "convex/values";
import { backoffMs, NOT_SENT_BACKOFF, PAIR_LIMIT_BACKOFF } from "#shared/backoff";
import { SEND_ATTEMPTS_MAX, SEND_LEASE_MS, UNKNOWN_HOLD_MS } from "#shared/domain/limits";
import { nextSendState, type SendEvent } from "#shared/domain/send-state";
import { mayStillSend } from "#shared/domain/window";
import { type ErrorCode, isErrorCode } from "#shared/errors";
import { MINUTE_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { learnWaId } from "./contacts";
import { laneHead, leaveLane, scheduleDelivery } from "./lane";
import { linkWamid, messageError, refreshStatus } from "./messageStatus";

/**
 * The outbox row's way through `shared/domain/send-state`, one transaction per step. Every step reads the row, asks
 * the table, and does nothing when the table has no such cell, so a stale worker, a repeated webhook and a late
 * answer are all harmless. docs/decisions/0007-claim-settle-outbox.md tells why it is built so.
 */

/** A chat reply that could not leave for so long has lost its moment: the person decides about it anew. */
const SEND_PATIENCE_MS = 10 * MINUTE_MS;

/** Rows that one step of the sweeper looks at; each costs about ten reads and writes of one transaction. */
const SWEEP_ROWS_MAX = 100;

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

/** What a step writes beside the state; undefined removes a field. */
type RowChange = Partial<Pick<Doc<"outbox">, "attempt" | "dueAt">> & {
  [Field in "claimToken" | "wamid" | "error" | "reason" | "unknownSince"]?: Doc<"outbox">[Field] | undefined;
};

/** What a worker needs to send; the access token is still sealed. */
export const sendJob = v.object({
  attempt: v.number(),
  phoneNumberId: v.string(),
  sealId: v.string(),
  accessTokenSealed: v.string(),
  payload: v.object({
    type: v.literal("text"),
    text: v.string(),
    to: v.optional(v.string()),
    recipient: v.optional(v.string()),
    replyToWamid: v.optional(v.string()),
  }),
});

/**
 * Gives a queued send to a worker under a lease, if it is due and first in its lane. The rules are asked once more,
 * because minutes may have passed: a send that they no longer allow is cancelled.
 */
export async function claimSend(
  ctx: MutationCtx,
  outboxId: Id<"outbox">,
  claimToken: string,
  now: number,
): Promise<Infer<typeof sendJob> | null> {
  const row = await ctx.db.get(outboxId);
  if (row === null || !row.open || row.dueAt > now || nextSendState(row.state, "claim") === null) return null;
  if ((await laneHead(ctx, row.conversationId))?._id !== row._id) return null;
  const account = await ctx.db.get(row.accountId);
  const obstacle = await findObstacle(ctx, row, account, now);
  if (account === null || obstacle !== null) {
    await cancelSend(ctx, row, obstacle ?? "not_found", now);
    return null;
  }
  const attempt = row.attempt + 1;
  await move(ctx, row, "claim", { attempt, claimToken, dueAt: now + SEND_LEASE_MS });
  const { phoneNumberId, sealId, accessTokenSealed } = account;
  return { attempt, phoneNumberId, sealId, accessTokenSealed, payload: row.payload };
}

async function findObstacle(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  account: Doc<"accounts"> | null,
  now: number,
): Promise<ErrorCode | null> {
  if (account?.state !== "active") return "not_found";
  const key = row.apiKeyId === undefined ? null : await ctx.db.get(row.apiKeyId);
  if (row.apiKeyId !== undefined && key?.revokedAt !== undefined) return "unauthorized";
  const conversation = await ctx.db.get(row.conversationId);
  return mayStillSend(conversation?.windowExpiresAt ?? null, now) ? null : "window_closed";
}

/**
 * Writes down that the request is about to leave. From here on a vanished worker means "unknown", never "again".
 * Returns whether this worker still holds the claim; if not, it must not send.
 */
export async function markDispatching(
  ctx: MutationCtx,
  outboxId: Id<"outbox">,
  claimToken: string,
  now: number,
): Promise<boolean> {
  const row = await ctx.db.get(outboxId);
  if (row === null || row.claimToken !== claimToken) return false;
  return await move(ctx, row, "dispatch", { dueAt: now + SEND_LEASE_MS });
}

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
      return await endSend(ctx, row, "rejected", report.code, report.reason, now);
    case "rateLimited":
      return await postponeSend(
        ctx,
        row,
        report.event,
        report.code,
        report.reason,
        rateWait(row, report),
        now,
      );
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
 * Looks after rows whose time had come by `dueBy` (ms) and whose worker or timer did not: actions run at most once, so
 * a crash leaves them behind. One step of a walk that meets each row once, wherever the steps move it. Returns where
 * the next step begins, null after the last.
 */
export async function sweepOutbox(
  ctx: MutationCtx,
  walk: { dueBy: number; cursor: string | null },
  now: number,
): Promise<string | null> {
  const due = await ctx.db
    .query("outbox")
    .withIndex("by_open_due", (q) => q.eq("open", true).lte("dueAt", walk.dueBy))
    .paginate({ cursor: walk.cursor, numItems: SWEEP_ROWS_MAX });
  for (const row of due.page) await sweepRow(ctx, row, now);
  return due.isDone ? null : due.continueCursor;
}

async function sweepRow(ctx: MutationCtx, row: Doc<"outbox">, now: number): Promise<void> {
  switch (row.state) {
    case "queued":
      // Its delivery was lost or is just starting; the claim decides which one sends.
      await ctx.scheduler.runAfter(0, internal.outbox.deliver, { outboxId: row._id });
      return;
    case "claimed":
      return await postponeSend(ctx, row, "leaseExpired", "unavailable", "worker_lost", 0, now);
    case "dispatching":
      return await doubtSend(ctx, row, "leaseExpired", "worker_lost", now);
    case "unknown":
    case "accepted":
    case "rejected":
    case "cancelled":
      return await leaveLane(ctx, row, now);
    default:
      return row.state satisfies never;
  }
}

/** Moves the row along the table. Returns false, and writes nothing, when the event has no cell in this state. */
async function move(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  event: SendEvent,
  change: RowChange,
): Promise<boolean> {
  const state = nextSendState(row.state, event);
  if (state === null) return false;
  await ctx.db.patch(row._id, { ...change, state });
  await refreshStatus(ctx, row.messageId);
  return true;
}

async function acceptSend(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  event: "accepted" | "statusArrived",
  wamid: string,
  waId: string | undefined,
  now: number,
): Promise<void> {
  if (nextSendState(row.state, event) === null) return;
  const message = await ctx.db.get(row.messageId);
  if (message !== null) await linkWamid(ctx, message, wamid);
  await move(ctx, row, event, { wamid, error: undefined, unknownSince: undefined });
  const contact = message === null || waId === undefined ? null : await ctx.db.get(message.contactId);
  if (contact !== null && waId !== undefined) await learnWaId(ctx, contact, waId);
  await leaveLane(ctx, row, now);
}

async function endSend(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  event: "rejected" | "rateLimited" | "notSent",
  code: string,
  reason: string,
  now: number,
): Promise<void> {
  const error = messageError(isErrorCode(code) ? code : "whatsapp_refused");
  if (await move(ctx, row, event, { error, reason })) await leaveLane(ctx, row, now);
}

async function cancelSend(ctx: MutationCtx, row: Doc<"outbox">, code: string, now: number): Promise<void> {
  const error = messageError(isErrorCode(code) ? code : "internal");
  if (await move(ctx, row, "cancel", { error })) await leaveLane(ctx, row, now);
}

async function doubtSend(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  event: "unknown" | "leaseExpired",
  reason: string,
  now: number,
): Promise<void> {
  const dueAt = now + UNKNOWN_HOLD_MS;
  if (!(await move(ctx, row, event, { reason, unknownSince: now, dueAt }))) return;
  await ctx.scheduler.runAt(dueAt, internal.outbox.releaseLane, { outboxId: row._id });
}

/** Queues a send again that provably did not reach Meta, until its attempts or its patience are used up. */
async function postponeSend(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  event: "rateLimited" | "notSent" | "leaseExpired",
  code: string,
  reason: string,
  waitMs: number,
  now: number,
): Promise<void> {
  const next = nextSendState(row.state, event);
  if (next === null) return;
  const dueAt = now + waitMs;
  const spent = row.attempt >= SEND_ATTEMPTS_MAX || dueAt > row.enqueuedAt + SEND_PATIENCE_MS;
  if (next === "queued" && !spent) {
    await move(ctx, row, event, { reason, claimToken: undefined });
    await scheduleDelivery(ctx, row._id, dueAt);
    return;
  }
  // A claim that is lost again and again was never dispatched, so there is nothing to reject: it is withdrawn.
  if (row.state === "claimed") return await cancelSend(ctx, row, code, now);
  await endSend(ctx, row, "rejected", code, reason, now);
}

function rateWait(row: Doc<"outbox">, report: Extract<SendReport, { event: "rateLimited" }>): number {
  const growing = report.code === "whatsapp_pair_limited" ? PAIR_LIMIT_BACKOFF : NOT_SENT_BACKOFF;
  return Math.max(report.retryAfterMs ?? 0, backoffMs(growing, row.attempt, Math.random()));
}
