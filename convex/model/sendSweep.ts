import { internal } from "../_generated/api";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { leaveLane } from "./lane";
import { doubtSend, postponeSend } from "./sendMoves";

/** Rows that one step of the sweeper looks at; each costs about ten reads and writes of one transaction. */
const SWEEP_ROWS_MAX = 100;

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
    case "markedSent":
    case "accepted":
    case "rejected":
    case "cancelled":
      return await leaveLane(ctx, row, now);
    default:
      return row.state satisfies never;
  }
}
