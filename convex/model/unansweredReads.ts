import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { requireCursor, viewNumber } from "./callerReads";
import { formatCursor, type Place } from "./cursor";
import { grantNumber } from "./grants";
import type { Caller } from "./identity";
import { boundedRows } from "./page";
import { viewConversation } from "./views";

export interface UnansweredRequest {
  from?: string;
  /** Only those who wait since this moment (ms) or longer. */
  since?: number;
  limit?: number;
  cursor?: string;
}

/**
 * One page of the conversations in which the customer waits for an answer, the longest waiting first. What is archived
 * was put away by somebody and waits no more. Throws `invalid_request` for a cursor that is none of ours.
 */
export async function readUnanswered(ctx: QueryCtx, caller: Caller, args: UnansweredRequest) {
  const granted = await grantNumber(ctx, caller, "conversations:read", args.from);
  if (granted.refused) return granted;
  const limit = boundedRows(args.limit);
  const after = args.cursor === undefined ? null : requireCursor(args.cursor, "cursor");
  const rows = await waitingAfter(ctx, granted.account._id, args.since, after, limit + 1);
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return {
    account: viewNumber(granted.account),
    conversations: await Promise.all(page.map((row) => viewConversation(ctx, row))),
    nextCursor: last ? formatCursor({ first: last.unansweredSince ?? 0, second: last._creationTime }) : null,
  };
}

async function waitingAfter(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  since: number | undefined,
  after: Place | null,
  rows: number,
): Promise<Doc<"conversations">[]> {
  const latest = since ?? Number.MAX_SAFE_INTEGER;
  const later = (first: number | null, count: number) =>
    ctx.db
      .query("conversations")
      .withIndex("by_account_archived_unanswered", (q) => {
        const open = q.eq("accountId", accountId).eq("archived", false);
        // Rows of nobody who waits have no such field and sort before all numbers.
        return first === null
          ? open.gte("unansweredSince", 0).lte("unansweredSince", latest)
          : open.gt("unansweredSince", first).lte("unansweredSince", latest);
      })
      .take(count);
  if (after === null) return await later(null, rows);
  const sameMoment = await ctx.db
    .query("conversations")
    .withIndex("by_account_archived_unanswered", (q) =>
      q
        .eq("accountId", accountId)
        .eq("archived", false)
        .eq("unansweredSince", after.first)
        .gt("_creationTime", after.second),
    )
    .take(rows);
  if (sameMoment.length === rows) return sameMoment;
  return [...sameMoment, ...(await later(after.first, rows - sameMoment.length))];
}
