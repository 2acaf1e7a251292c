import { internal } from "../_generated/api";
import type { Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { mergeStep } from "./contactMerge";
import { deletionStep } from "./deletion";
import { erasureStep } from "./erasure";
import { moveJob, STEP_LEASE_MS, startJob } from "./jobs";

/** Does one step of a job and schedules the next, or does nothing when it is not its turn or was called by a lost twin. */
export async function workJob(
  ctx: MutationCtx,
  jobId: Id<"jobs">,
  ticket: number,
  now: number,
): Promise<void> {
  const found = await ctx.db.get(jobId);
  if (found === null || found.ticket !== ticket) return;
  const job = await startJob(ctx, found);
  if (job === null) return;
  switch (job.kind) {
    case "erasure":
      return await moveJob(ctx, job, await erasureStep(ctx, job), now);
    case "deletion":
      return await moveJob(ctx, job, await deletionStep(ctx, job), now);
    case "merge":
      return await moveJob(ctx, job, await mergeStep(ctx, job, now), now);
    case "export":
      // Files are written by an action, which reports to `settleExport`; until then the lease runs.
      await ctx.db.patch(jobId, { dueAt: now + STEP_LEASE_MS });
      await ctx.scheduler.runAfter(0, internal.exports.write, { jobId, ticket });
      return;
    default:
      return job.kind satisfies never;
  }
}
