import { v } from "convex/values";
import { defined } from "#shared/defined";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { fail } from "./errors";
import { reapplyItem } from "./ingest";
import { boundedRows } from "./page";

/** An item of a webhook that was verified and could not be applied. */
export const deadItemView = v.object({
  _id: v.id("webhookItems"),
  accountId: v.optional(v.id("accounts")),
  /** What it was: `message`, `status`, `event`, ... */
  kind: v.string(),
  /** Why, as a code. */
  reason: v.string(),
  receivedAt: v.number(),
  /** The body is still here, so it can be applied again. */
  canReapply: v.boolean(),
});

/** Parked items of one account, or (null) of all accounts and of none; newest first. */
export async function listDead(ctx: QueryCtx, accountId: Id<"accounts"> | null, limit: number | undefined) {
  const count = boundedRows(limit);
  const rows =
    accountId === null
      ? await ctx.db
          .query("webhookItems")
          .withIndex("by_state", (q) => q.eq("state", "dead"))
          .order("desc")
          .take(count)
      : await ctx.db
          .query("webhookItems")
          .withIndex("by_account_state", (q) => q.eq("accountId", accountId).eq("state", "dead"))
          .order("desc")
          .take(count);
  return await Promise.all(rows.map((row) => viewDead(ctx, row)));
}

async function viewDead(ctx: QueryCtx, row: Doc<"webhookItems">) {
  const log = await ctx.db.get(row.logId);
  return {
    _id: row._id,
    kind: row.kind,
    reason: row.reason ?? "internal",
    receivedAt: log?.receivedAt ?? row._creationTime,
    canReapply: log?.bodyStored === true,
    ...defined({ accountId: row.accountId }),
  };
}

/**
 * Applies a parked item again. One of another account is as absent as one that never was; `null` may touch all. An
 * item that is not parked any more is left alone, so asking twice does no harm.
 */
export async function reapplyById(
  ctx: MutationCtx,
  accountId: Id<"accounts"> | null,
  itemId: Id<"webhookItems">,
  now: number,
): Promise<Doc<"webhookItems">["state"]> {
  const row = await ctx.db.get(itemId);
  if (row === null || (accountId !== null && row.accountId !== accountId)) fail("not_found");
  return await reapplyItem(ctx, row, now);
}
