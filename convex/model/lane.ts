import { refusal } from "#shared/errors";
import { SECOND_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { DoorRefusal } from "./grants";

/** Due time of a row that waits behind another one of its lane: the sweeper never finds it, the row before it does. */
export const WAITING_FOR_LANE_MS = Number.MAX_SAFE_INTEGER;

/** Due time of a row that waits for its paused account, which wakes it. */
const WAITING_FOR_ACCOUNT_MS = WAITING_FOR_LANE_MS - 1;

/** Rows that one step of waking starts; each costs one write and one schedule of the 1,000 that a step may make. */
const WAKE_ROWS_MAX = 200;

/** Leaves a send at the head of its lane until its account sends again. */
export async function waitForAccount(ctx: MutationCtx, row: Doc<"outbox">): Promise<void> {
  await ctx.db.patch(row._id, { dueAt: WAITING_FOR_ACCOUNT_MS });
}

/** Starts sends that waited for their account. Returns whether there may be more of them. */
export async function wakeWaiting(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  now: number,
): Promise<boolean> {
  const waiting = await ctx.db
    .query("outbox")
    .withIndex("by_account_open_due", (q) =>
      q.eq("accountId", accountId).eq("open", true).eq("dueAt", WAITING_FOR_ACCOUNT_MS),
    )
    .take(WAKE_ROWS_MAX);
  for (const row of waiting) await scheduleDelivery(ctx, row._id, now);
  return waiting.length === WAKE_ROWS_MAX;
}

/**
 * Sends of one conversation that may wait at once. With Meta's 45 at once and 10 a minute to one person, more would
 * wait for over five minutes, and a person who gets so many messages is not being written to but flooded.
 */
export const LANE_WAITING_MAX = 100;

/** How long somebody who met a full lane should wait: a few of its messages have left by then. */
const LANE_RETRY_MS = 30 * SECOND_MS;

/** Refuses one more send to a conversation whose lane is full. */
export async function checkLaneRoom(
  ctx: QueryCtx,
  conversationId: Id<"conversations">,
): Promise<DoorRefusal | null> {
  const waiting = await ctx.db
    .query("outbox")
    .withIndex("by_lane", (q) => q.eq("conversationId", conversationId).eq("open", true))
    .take(LANE_WAITING_MAX);
  if (waiting.length < LANE_WAITING_MAX) return null;
  return refusal("rate_limited", {
    say: "Too many messages to this customer are still waiting to leave.",
    retryAfterMs: LANE_RETRY_MS,
  });
}

/** The open send of a conversation that comes first; only this one may go to Meta. */
export async function laneHead(
  ctx: MutationCtx,
  conversationId: Id<"conversations">,
): Promise<Doc<"outbox"> | null> {
  return await ctx.db
    .query("outbox")
    .withIndex("by_lane", (q) => q.eq("conversationId", conversationId).eq("open", true))
    .first();
}

/** Takes a send out of its lane and starts the next one, in the transaction that ended it. */
export async function leaveLane(ctx: MutationCtx, row: Doc<"outbox">, now: number): Promise<void> {
  await ctx.db.patch(row._id, { open: false });
  const head = await laneHead(ctx, row.conversationId);
  if (head !== null && head.state === "queued" && head.dueAt === WAITING_FOR_LANE_MS) {
    await scheduleDelivery(ctx, head._id, now);
  }
}

/** Makes a queued send due at `dueAt` and schedules its delivery for then. */
export async function scheduleDelivery(
  ctx: MutationCtx,
  outboxId: Id<"outbox">,
  dueAt: number,
): Promise<void> {
  await ctx.db.patch(outboxId, { dueAt });
  await ctx.scheduler.runAt(dueAt, internal.outbox.deliver, { outboxId });
}
