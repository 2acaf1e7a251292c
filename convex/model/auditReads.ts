import { v } from "convex/values";
import { defined } from "#shared/defined";
import { CHAIN_START, checkChain } from "#shared/domain/audit-chain";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { chained, chainOf, findChain } from "./audit";
import { boundedRows } from "./page";

/** Lines that one step of the check reads; 500 lines are about 300 KiB and 3,500 digests. */
const CHECKED_LINES_MAX = 500;

export const auditLineView = v.object({
  seq: v.number(),
  at: v.number(),
  principal: v.string(),
  action: v.string(),
  outcome: v.string(),
  tool: v.optional(v.string()),
  argumentHash: v.optional(v.string()),
  subject: v.optional(v.string()),
  target: v.optional(v.string()),
  reason: v.optional(v.string()),
  ms: v.optional(v.number()),
  /** Erasure took the rest of this line out. */
  redacted: v.optional(v.boolean()),
  hash: v.string(),
});

/** Lines of an account's chain, newest first, before the line `before`; `next` is null after the oldest. */
export async function listAudit(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  page: { before?: number; limit?: number },
) {
  const limit = boundedRows(page.limit);
  const rows = await ctx.db
    .query("auditLog")
    .withIndex("by_chain_seq", (q) =>
      q.eq("chain", chainOf(accountId)).lt("seq", page.before ?? Number.MAX_SAFE_INTEGER),
    )
    .order("desc")
    .take(limit + 1);
  const lines = rows.slice(0, limit);
  return { lines: lines.map(viewLine), next: rows.length > limit ? (lines.at(-1)?.seq ?? null) : null };
}

function viewLine(line: Doc<"auditLog">) {
  const { seq, at, principal, action, outcome, hash } = line;
  const { tool, argumentHash, subject, target, reason, ms } = line;
  return {
    seq,
    at,
    principal,
    action,
    outcome,
    hash,
    ...defined({ tool, argumentHash, subject, target, reason, ms }),
    ...(line.redacted !== undefined && { redacted: true }),
  };
}

export const chainPlace = v.object({ seq: v.number(), hash: v.string() });

export const chainCheck = v.union(
  /** The check goes on from here. */
  v.object({ state: v.literal("more"), checked: v.number(), next: chainPlace }),
  /** Every line is as it was written; `last` is worth noting down elsewhere, to compare with later. */
  v.object({ state: v.literal("intact"), checked: v.number(), first: v.number(), last: chainPlace }),
  v.object({
    state: v.literal("broken"),
    checked: v.number(),
    seq: v.number(),
    problem: v.union(v.literal("changed"), v.literal("out_of_order"), v.literal("wrong_end")),
  }),
);

/** Checks the next lines of a chain after a place, from its anchor when none is given. */
export async function checkAudit(
  ctx: QueryCtx,
  accountId: Id<"accounts"> | undefined,
  after?: { seq: number; hash: string },
): Promise<typeof chainCheck.type> {
  const chain = chainOf(accountId);
  const head = await findChain(ctx, chain);
  const anchor = head === null ? CHAIN_START : { seq: head.anchorSeq, hash: head.anchorHash };
  const from = after ?? anchor;
  // From below the anchor on the first step, so that a line which retention should have removed is found too.
  const lines = await ctx.db
    .query("auditLog")
    .withIndex("by_chain_seq", (q) => q.eq("chain", chain).gt("seq", after?.seq ?? Number.MIN_SAFE_INTEGER))
    .take(CHECKED_LINES_MAX);
  const result = await checkChain(chain, from, lines.map(chained));
  const checked = lines.length;
  if (!result.ok) return { state: "broken", checked, seq: result.seq, problem: result.problem };
  if (lines.length === CHECKED_LINES_MAX) return { state: "more", checked, next: result.anchor };
  const end = head ?? CHAIN_START;
  if (result.anchor.seq !== end.seq || result.anchor.hash !== end.hash) {
    return { state: "broken", checked, seq: result.anchor.seq + 1, problem: "wrong_end" };
  }
  return { state: "intact", checked, first: anchor.seq + 1, last: result.anchor };
}
