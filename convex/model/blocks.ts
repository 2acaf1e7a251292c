import { type Infer, v } from "convex/values";
import { backoffMs } from "#shared/backoff";
import { HOUR_MS, MINUTE_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { recordAudit } from "./audit";
import { momentOf, recordConsent } from "./consent";

/**
 * The block list. Ours holds at once, in the transaction that blocks; Meta's follows by an action. Meta takes a block
 * only within 24 hours of the customer's last message, so a refusal there is told and changes nothing here.
 */

/** A call has a deadline of 30 s; twice that is a lost worker. */
const BLOCK_LEASE_MS = MINUTE_MS;
const BLOCK_ATTEMPTS_MAX = 5;
const BLOCK_BACKOFF = { firstMs: MINUTE_MS, factor: 4, maxMs: 4 * HOUR_MS };
/** Rows that one run of the sweeper starts. */
const SWEEP_ROWS_MAX = 50;

export const blockJob = v.object({
  attempt: v.number(),
  change: v.union(v.literal("block"), v.literal("unblock")),
  /** E.164 with plus, or a business-scoped user id. */
  user: v.string(),
  phoneNumberId: v.string(),
  sealId: v.string(),
  accessTokenSealed: v.string(),
});
export const blockReport = v.union(
  v.object({ outcome: v.literal("done") }),
  v.object({ outcome: v.literal("retry"), reason: v.string() }),
  v.object({ outcome: v.literal("failed"), reason: v.string() }),
);
type BlockReport = Infer<typeof blockReport>;

/** Blocks a contact or takes it back, for everybody who sends from the account, and lets Meta's list follow. */
export async function setBlocked(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
  blocked: boolean,
  principal: string,
  now: number,
): Promise<void> {
  await recordConsent(ctx, contact, {
    category: "all",
    state: blocked ? "withdrawn" : "granted",
    source: "block",
    at: await momentOf(ctx, contact, "all", now),
    by: principal,
  });
  await recordAudit(ctx, {
    accountId: contact.accountId,
    principal,
    action: blocked ? "contact.block" : "contact.unblock",
    outcome: "done",
    subject: contact._id,
    at: now,
  });
  const row = await stateOf(ctx, contact._id);
  if (row === null) return;
  const wanted = blocked ? ("block" as const) : ("unblock" as const);
  await ctx.db.patch(row._id, { remoteBlock: { wanted, state: "pending", attempt: 0, dueAt: now } });
  await ctx.scheduler.runAfter(0, internal.consent.pushBlock, { contactId: contact._id });
}

/** Gives the change to a worker under a lease. Null when there is nothing to tell Meta, or somebody else does. */
export async function claimBlock(
  ctx: MutationCtx,
  contactId: Id<"contacts">,
  now: number,
): Promise<Infer<typeof blockJob> | null> {
  const row = await stateOf(ctx, contactId);
  const contact = await ctx.db.get(contactId);
  const account = row === null ? null : await ctx.db.get(row.accountId);
  const change = row?.remoteBlock;
  if (row === null || contact === null || account === null) return null;
  if (change === undefined || change.state !== "pending" || change.dueAt > now) return null;
  const user = contact.phone ?? contact.userId;
  const attempt = change.attempt + 1;
  if (user === undefined || attempt > BLOCK_ATTEMPTS_MAX) {
    const reason = user === undefined ? "no_address" : "worker_lost";
    await ctx.db.patch(row._id, { remoteBlock: { ...change, state: "failed", reason } });
    return null;
  }
  await ctx.db.patch(row._id, { remoteBlock: { ...change, attempt, dueAt: now + BLOCK_LEASE_MS } });
  const { phoneNumberId, sealId, accessTokenSealed } = account;
  return { attempt, change: change.wanted, user, phoneNumberId, sealId, accessTokenSealed };
}

/** Records Meta's answer. A report of another attempt, or about a change that is no longer wanted, changes nothing. */
export async function settleBlock(
  ctx: MutationCtx,
  args: { contactId: Id<"contacts">; attempt: number; change: "block" | "unblock"; report: BlockReport },
  now: number,
): Promise<void> {
  const row = await stateOf(ctx, args.contactId);
  const change = row?.remoteBlock;
  if (row === null || change === undefined) return;
  if (change.state !== "pending" || change.attempt !== args.attempt || change.wanted !== args.change) return;
  const { report } = args;
  const again = report.outcome === "retry" && change.attempt < BLOCK_ATTEMPTS_MAX;
  if (again) {
    const dueAt = now + backoffMs(BLOCK_BACKOFF, change.attempt, Math.random());
    await ctx.db.patch(row._id, { remoteBlock: { ...change, dueAt, reason: report.reason } });
    await ctx.scheduler.runAt(dueAt, internal.consent.pushBlock, { contactId: args.contactId });
    return;
  }
  await ctx.db.patch(row._id, {
    remoteBlock: {
      ...change,
      ...(report.outcome === "done"
        ? { state: "done" as const }
        : { state: "failed" as const, reason: report.reason }),
    },
  });
}

/** Starts changes whose worker or timer was lost. */
export async function sweepBlocks(ctx: MutationCtx, now: number): Promise<void> {
  const due = await ctx.db
    .query("consentStates")
    .withIndex("by_remote_block", (q) => q.eq("remoteBlock.state", "pending").lte("remoteBlock.dueAt", now))
    .take(SWEEP_ROWS_MAX);
  for (const { contactId } of due) await ctx.scheduler.runAfter(0, internal.consent.pushBlock, { contactId });
}

async function stateOf(ctx: MutationCtx, contactId: Id<"contacts">): Promise<Doc<"consentStates"> | null> {
  return await ctx.db
    .query("consentStates")
    .withIndex("by_contact", (q) => q.eq("contactId", contactId))
    .unique();
}
