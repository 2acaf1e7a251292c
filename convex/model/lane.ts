import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";

/** Due time of a row that waits behind another one of its lane: the sweeper never finds it, the row before it does. */
export const WAITING_FOR_LANE_MS = Number.MAX_SAFE_INTEGER;

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
