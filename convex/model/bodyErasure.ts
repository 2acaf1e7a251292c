import { bytesToText } from "#shared/bytes";
import { SECOND_MS } from "#shared/time";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { StepResult } from "./jobs";
import { dropBody, loadBody } from "./webhookBodies";

/** Bodies are large (up to 4 MiB of the 16 MiB that a transaction may read), so few fit into one step. */
const BODIES_MAX = 3;
/** A body that is still being applied is looked at again after this. */
const UNFINISHED_WAIT_MS = 5 * SECOND_MS;
/** Digits shorter than this stand in many other numbers; they count only as a whole value. */
const DISTINCT_CHARACTERS_MIN = 7;

/**
 * One step through the raw bodies of an account: those that name one of the `needles` are removed, as retention would
 * have done later. Their log keeps digest and counts. A body that is not wholly applied yet is waited for, because the
 * messages of others in it would be lost.
 */
export async function eraseBodies(
  ctx: MutationCtx,
  job: Pick<Doc<"jobs">, "cursor" | "step">,
  accountId: Id<"accounts">,
  needles: readonly string[],
  next: string,
): Promise<StepResult> {
  const page = await ctx.db
    .query("webhookLogs")
    .withIndex("by_body_age", (q) => q.eq("bodyStored", true))
    .paginate({ cursor: job.cursor ?? null, numItems: BODIES_MAX });
  let rows = 0;
  for (const log of page.page) {
    if (!log.accountIds.includes(accountId)) continue;
    const text = bytesToText(await loadBody(ctx, log._id));
    if (!needles.some((needle) => names(text, needle))) continue;
    if (log.itemsDone < log.itemCount) {
      return {
        state: "more",
        step: job.step,
        rows,
        waitMs: UNFINISHED_WAIT_MS,
        ...(job.cursor !== undefined && { cursor: job.cursor }),
      };
    }
    await dropBody(ctx, log._id);
    await ctx.db.patch(log._id, { bodyStored: false });
    rows++;
  }
  return page.isDone
    ? { state: "more", step: next, rows }
    : { state: "more", step: job.step, cursor: page.continueCursor, rows };
}

function names(text: string, needle: string): boolean {
  return text.includes(needle.length < DISTINCT_CHARACTERS_MIN ? `"${needle}"` : needle);
}
