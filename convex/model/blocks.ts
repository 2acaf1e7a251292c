import { type Infer, v } from "convex/values";
import { backoffMs } from "#shared/backoff";
import { defined } from "#shared/defined";
import { isBlocked } from "#shared/domain/consent-state";
import { HOUR_MS, MINUTE_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { remoteBlock } from "../tables/consent";
import { recordAudit } from "./audit";
import { consentStateOf, momentOf, recordConsent } from "./consent";

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
type BlockJob = Infer<typeof blockJob>;
type BlockReport = Infer<typeof blockReport>;
type RemoteBlock = Infer<typeof remoteBlock>;

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
  const row = await consentStateOf(ctx, contact._id);
  if (row === null) return;
  await wish(ctx, row, { wanted: blocked ? "block" : "unblock", users: addressesOf(contact), from: now });
}

/**
 * Asks for a change of Meta's list for some addresses, not before `from` (ms). While a worker is telling Meta something,
 * the change waits for it.
 */
async function wish(
  ctx: MutationCtx,
  row: Doc<"consentStates">,
  { wanted, users, from }: { wanted: RemoteBlock["wanted"]; users: string[]; from: number },
): Promise<void> {
  const before = row.remoteBlock;
  const change = { wanted, users, state: "pending" as const };
  if (before?.state === "pending" && before.running) {
    const { attempt, dueAt } = before;
    await ctx.db.patch(row._id, { remoteBlock: { ...change, attempt, dueAt, running: true } });
    return;
  }
  // A change that nobody has begun may have to wait for the worker of a contact that was joined.
  const dueAt = before?.state === "pending" && before.attempt === 0 ? Math.max(from, before.dueAt) : from;
  await ctx.db.patch(row._id, { remoteBlock: { ...change, attempt: 0, dueAt } });
  await ctx.scheduler.runAt(dueAt, internal.consent.pushBlock, { contactId: row.contactId });
}

/**
 * Two contacts became one: what is blocked at Meta under a name of either ends as the kept one's state says. Whoever is
 * known to stand there rightly is left alone, because Meta refuses to block somebody who has not written for a day.
 * Both contacts are given as they were, and the consent of the kept one is already that of both.
 */
export async function joinBlocks(
  ctx: MutationCtx,
  kept: Doc<"contacts">,
  merged: Doc<"contacts">,
  wasBlocked: { kept: boolean; merged: boolean },
  now: number,
): Promise<void> {
  const [row, other] = [await consentStateOf(ctx, kept._id), await consentStateOf(ctx, merged._id)];
  if (other?.remoteBlock !== undefined) await ctx.db.patch(other._id, { remoteBlock: undefined });
  if (row === null) return;
  const wanted = isBlocked(row) ? ("block" as const) : ("unblock" as const);
  const users = [
    ...(stands(row.remoteBlock, wasBlocked.kept, wanted) ? [] : addressesOf(kept)),
    ...(stands(other?.remoteBlock, wasBlocked.merged, wanted) ? [] : addressesOf(merged)),
  ];
  if (users.length === 0) return;
  // The call of the other one's worker may still be on its way.
  const lease = other?.remoteBlock?.running ? other.remoteBlock.dueAt : now;
  await wish(ctx, row, { wanted, users, from: Math.max(now, lease) });
}

/** Whether Meta is known to have a contact as it is wanted; `wasBlocked` is what our ledger said. */
function stands(
  remote: RemoteBlock | undefined,
  wasBlocked: boolean,
  wanted: RemoteBlock["wanted"],
): boolean {
  if (remote !== undefined) return remote.state === "done" && remote.wanted === wanted;
  // Without a call of ours a block is in the ledger only because Meta told of it.
  return wasBlocked === (wanted === "block");
}

/** Every address by which Meta knows the contact: its own, and those of contacts that were joined to it. */
export function addressesOf({ phone, userId, otherAddresses = [] }: Doc<"contacts">): string[] {
  return [...new Set([phone ?? userId, ...otherAddresses])].filter((address) => address !== undefined);
}

/** Gives the change to a worker under a lease. Null when there is nothing to tell Meta, or somebody else does. */
export async function claimBlock(
  ctx: MutationCtx,
  contactId: Id<"contacts">,
  now: number,
): Promise<BlockJob | null> {
  const row = await consentStateOf(ctx, contactId);
  const contact = await ctx.db.get(contactId);
  const account = row === null ? null : await ctx.db.get(row.accountId);
  const change = row?.remoteBlock;
  if (row === null || contact === null || account === null) return null;
  if (change === undefined || change.state !== "pending" || change.dueAt > now) return null;
  const [user] = change.users;
  const attempt = change.attempt + 1;
  if (user === undefined || attempt > BLOCK_ATTEMPTS_MAX) {
    const reason = user === undefined ? "no_address" : "worker_lost";
    await ctx.db.patch(row._id, { remoteBlock: { ...change, running: false, state: "failed", reason } });
    return null;
  }
  const lease = { attempt, running: true, dueAt: now + BLOCK_LEASE_MS };
  await ctx.db.patch(row._id, { remoteBlock: { ...change, ...lease } });
  const { phoneNumberId, sealId, accessTokenSealed } = account;
  return { attempt, change: change.wanted, user, phoneNumberId, sealId, accessTokenSealed };
}

/**
 * Records Meta's answer about one address; the next one follows. A report of another attempt changes nothing. When
 * something else is wanted by now, the answer does not matter any more, and the change that waited for it begins.
 */
export async function settleBlock(
  ctx: MutationCtx,
  args: { contactId: Id<"contacts">; attempt: number; report: BlockReport } & Pick<
    BlockJob,
    "change" | "user"
  >,
  now: number,
): Promise<void> {
  const row = await consentStateOf(ctx, args.contactId);
  const change = row?.remoteBlock;
  if (row === null || change === undefined || change.state !== "pending") return;
  if (!change.running || change.attempt !== args.attempt) return;
  const { report, user } = args;
  const ended = { ...change, running: false };
  if (change.wanted !== args.change) return await begin(ctx, row, { ...ended, attempt: 0, dueAt: now });
  if (report.outcome === "retry" && change.attempt < BLOCK_ATTEMPTS_MAX) {
    const dueAt = now + backoffMs(BLOCK_BACKOFF, change.attempt, Math.random());
    return await begin(ctx, row, { ...ended, dueAt, reason: report.reason });
  }
  const { refused = [], reason, ...rest } = ended;
  const users = change.users.filter((other) => other !== user);
  const told =
    report.outcome === "done"
      ? { ...rest, users, ...(refused.length > 0 && defined({ refused, reason })) }
      : { ...rest, users, refused: [...refused, user], reason: report.reason };
  if (users.length > 0) return await begin(ctx, row, { ...told, attempt: 0, dueAt: now });
  const state = told.refused === undefined ? ("done" as const) : ("failed" as const);
  await ctx.db.patch(row._id, { remoteBlock: { ...told, state } });
}

async function begin(ctx: MutationCtx, row: Doc<"consentStates">, remoteBlock: RemoteBlock): Promise<void> {
  await ctx.db.patch(row._id, { remoteBlock });
  await ctx.scheduler.runAt(remoteBlock.dueAt, internal.consent.pushBlock, { contactId: row.contactId });
}

/** Starts changes whose worker or timer was lost. */
export async function sweepBlocks(ctx: MutationCtx, now: number): Promise<void> {
  const due = await ctx.db
    .query("consentStates")
    .withIndex("by_remote_block", (q) => q.eq("remoteBlock.state", "pending").lte("remoteBlock.dueAt", now))
    .take(SWEEP_ROWS_MAX);
  for (const { contactId } of due) await ctx.scheduler.runAfter(0, internal.consent.pushBlock, { contactId });
}
