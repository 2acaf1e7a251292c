import { isSendSettled } from "#shared/domain/send-state";
import { DAY_MS } from "#shared/time";
import type { Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { readAccountRules } from "./accountRules";
import { chainOf, cutChain, findChain } from "./audit";
import { removeOldConfirmations } from "./confirmations";
import { removeExports } from "./exports";
import { removeOldFlaggedReads } from "./flaggedReads";
import { REQUEST_KEPT_MS } from "./sendRequests";
import { dropBody } from "./webhookBodies";

/**
 * How long things are kept where an account has not decided otherwise, in days. Raw bodies are for replay and for finding
 * out what happened: a month covers both, and customers' words are in them. A year of audit and a month, so that a
 * yearly review finds all of it. A season of events, so that a reader that was away for weeks still finds its place.
 */
const KEPT_DAYS = { rawBodyDays: 30, auditDays: 400, eventDays: 90 };

/** Rows of each kind that one run removes; a run with a full batch is followed by another. */
const BATCH_ROWS_MAX = 200;
/** Bodies are large (up to 4 MiB of the 16 MiB that a transaction may read), so few fit into one run. */
const BATCH_BODIES_MAX = 3;
/** Item rows of one body that one run removes. */
const BATCH_ITEMS_MAX = 1_000;
/** Envelopes have up to 256 KiB each. */
const BATCH_EVENTS_MAX = 20;

/** Removes one batch of what belongs to no account and is past its time. Returns whether there may be more. */
export async function removeExpired(ctx: MutationCtx, now: number): Promise<boolean> {
  const full = [
    await removeBodies(ctx, undefined, now - KEPT_DAYS.rawBodyDays * DAY_MS),
    await removeEmptyBodies(ctx, now - KEPT_DAYS.rawBodyDays * DAY_MS),
    await removeRequests(ctx, now),
    await removeParked(ctx, now),
    await removeAudit(ctx, undefined, now - KEPT_DAYS.auditDays * DAY_MS),
    await removeExports(ctx, now),
    await removeOldFlaggedReads(ctx, now),
    await removeOldConfirmations(ctx, now),
  ];
  return full.includes(true);
}

/** Removes one batch of what one account keeps no longer, by its own rules. Returns whether there may be more. */
export async function removeExpiredOf(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  now: number,
): Promise<boolean> {
  const kept = { ...KEPT_DAYS, ...(await readAccountRules(ctx, accountId)).retention };
  const before = (days: number) => now - days * DAY_MS;
  const full = [
    await removeBodies(ctx, accountId, before(kept.rawBodyDays)),
    await removeAudit(ctx, accountId, before(kept.auditDays)),
    await removeEvents(ctx, accountId, before(kept.eventDays)),
  ];
  return full.includes(true);
}

/**
 * Whether one of the accounts that a delivery speaks of keeps no raw bodies at all. Then it goes as soon as it was applied
 * to its end, unless an item could not be applied and waits to be tried again.
 */
export async function keepsNoBodies(ctx: QueryCtx, accountIds: readonly Id<"accounts">[]): Promise<boolean> {
  for (const accountId of new Set(accountIds)) {
    if ((await readAccountRules(ctx, accountId)).retention?.rawBodyDays === 0) return true;
  }
  return false;
}

/**
 * Bodies that speak of the account (or of none that is connected here) and came before `before`. The items lead to
 * them: they are the account's, while a body may speak of several. The account that keeps them shortest decides.
 */
async function removeBodies(
  ctx: MutationCtx,
  accountId: Id<"accounts"> | undefined,
  before: number,
): Promise<boolean> {
  const items = await ctx.db
    .query("webhookItems")
    .withIndex("by_account", (q) => q.eq("accountId", accountId).lt("_creationTime", before))
    .take(BATCH_ROWS_MAX);
  const logIds = [...new Set(items.map(({ logId }) => logId))];
  let removed = 0;
  for (const logId of logIds) {
    const log = await ctx.db.get(logId);
    // A large delivery that is still being applied is left alone: the rest of it would be lost.
    if (log === null || log.itemsDone < log.itemCount) continue;
    await removeBody(ctx, log._id);
    if (++removed === BATCH_BODIES_MAX) break;
  }
  return removed > 0;
}

/** Bodies in which nothing was found at all, so that no item leads to them. */
async function removeEmptyBodies(ctx: MutationCtx, before: number): Promise<boolean> {
  const logs = await ctx.db
    .query("webhookLogs")
    .withIndex("by_items_body_age", (q) =>
      q.eq("itemCount", 0).eq("bodyStored", true).lt("receivedAt", before),
    )
    .take(BATCH_BODIES_MAX);
  for (const log of logs) await removeBody(ctx, log._id);
  return logs.length === BATCH_BODIES_MAX;
}

/** The log keeps its digest and counts; the body and the list of its items go. */
export async function removeBody(ctx: MutationCtx, logId: Id<"webhookLogs">): Promise<void> {
  const items = await ctx.db
    .query("webhookItems")
    .withIndex("by_log", (q) => q.eq("logId", logId))
    .take(BATCH_ITEMS_MAX);
  for (const item of items) await ctx.db.delete(item._id);
  if (items.length === BATCH_ITEMS_MAX) return;
  await dropBody(ctx, logId);
  await ctx.db.patch(logId, { bodyStored: false });
}

/** A request whose outcome is still open keeps its id, however old it is: repeating it could send the message twice. */
async function removeRequests(ctx: MutationCtx, now: number): Promise<boolean> {
  const requests = await ctx.db
    .query("sendRequests")
    .withIndex("by_expires_at", (q) => q.lt("expiresAt", now))
    .take(BATCH_ROWS_MAX);
  for (const request of requests) {
    const send = await ctx.db.get(request.outboxId);
    const open = send !== null && (!isSendSettled(send.state) || send.state === "unknown");
    if (open) await ctx.db.patch(request._id, { expiresAt: now + REQUEST_KEPT_MS });
    else await ctx.db.delete(request._id);
  }
  return requests.length === BATCH_ROWS_MAX;
}

/**
 * Statuses, reactions, edits and revocations whose message never came. What became of their webhook items stays as it
 * was: they were understood and kept as long as they could matter.
 */
async function removeParked(ctx: MutationCtx, now: number): Promise<boolean> {
  // A missing field sorts before every number, so the lower bounds leave out what has found its message.
  const statuses = await ctx.db
    .query("messageStatuses")
    .withIndex("by_parked_until", (q) => q.gt("parkedUntil", 0).lt("parkedUntil", now))
    .take(BATCH_ROWS_MAX);
  const reactions = await ctx.db
    .query("reactions")
    .withIndex("by_parked_until", (q) => q.gt("parkedUntil", 0).lt("parkedUntil", now))
    .take(BATCH_ROWS_MAX);
  const edits = await ctx.db
    .query("messageEdits")
    .withIndex("by_parked_until", (q) => q.gt("parkedUntil", 0).lt("parkedUntil", now))
    .take(BATCH_ROWS_MAX);
  for (const { _id } of [...statuses, ...reactions, ...edits]) await ctx.db.delete(_id);
  return [statuses, reactions, edits].some(({ length }) => length === BATCH_ROWS_MAX);
}

/**
 * The oldest lines of a chain. Its anchor moves to the last line removed, so that the rest can still be checked. Returns
 * whether there may be more.
 */
async function removeAudit(
  ctx: MutationCtx,
  accountId: Id<"accounts"> | undefined,
  before: number,
): Promise<boolean> {
  const chain = await findChain(ctx, chainOf(accountId));
  if (chain === null || chain.oldestAt >= before) return false;
  return await cutChain(ctx, chain, before, BATCH_ROWS_MAX);
}

/** The oldest events of an account; the numbers of those that stay do not change. */
async function removeEvents(ctx: MutationCtx, accountId: Id<"accounts">, before: number): Promise<boolean> {
  const events = await ctx.db
    .query("webhookEvents")
    .withIndex("by_account_seq", (q) => q.eq("accountId", accountId))
    .take(BATCH_EVENTS_MAX);
  const old = events.filter(({ _creationTime }) => _creationTime < before);
  for (const event of old) await ctx.db.delete(event._id);
  return old.length === BATCH_EVENTS_MAX;
}
