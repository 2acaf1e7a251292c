import { isSendSettled } from "#shared/domain/send-state";
import { DAY_MS } from "#shared/time";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { cutChain } from "./audit";
import { removeExports } from "./exports";
import { REQUEST_KEPT_MS } from "./sendRequests";
import { dropBody } from "./webhookBodies";

/** Raw bodies are for replay and for finding out what happened; a month covers both, and customers' words are in them. */
const RAW_BODY_KEPT_MS = 30 * DAY_MS;
/** A year of audit and a month, so that a yearly review finds all of it. */
const AUDIT_KEPT_MS = 400 * DAY_MS;

/** Rows of each kind that one run removes; a run with a full batch is followed by another. */
const BATCH_ROWS_MAX = 200;
/** Bodies are large (up to 4 MiB of the 16 MiB that a transaction may read), so few fit into one run. */
const BATCH_BODIES_MAX = 3;
/** Item rows of one body that one run removes. */
const BATCH_ITEMS_MAX = 1_000;

/** Removes one batch of everything that is past its time. Returns whether there may be more. */
export async function removeExpired(ctx: MutationCtx, now: number): Promise<boolean> {
  const full = [
    await removeBodies(ctx, now),
    await removeRequests(ctx, now),
    await removeParkedStatuses(ctx, now),
    await removeAudit(ctx, now),
    await removeExports(ctx, now),
  ];
  return full.includes(true);
}

async function removeBodies(ctx: MutationCtx, now: number): Promise<boolean> {
  const logs = await ctx.db
    .query("webhookLogs")
    .withIndex("by_body_age", (q) => q.eq("bodyStored", true).lt("receivedAt", now - RAW_BODY_KEPT_MS))
    .take(BATCH_BODIES_MAX);
  for (const log of logs) await removeBody(ctx, log);
  return logs.length === BATCH_BODIES_MAX;
}

/** The log keeps its digest and counts; the body and the list of its items go. */
async function removeBody(ctx: MutationCtx, log: Doc<"webhookLogs">): Promise<void> {
  const items = await ctx.db
    .query("webhookItems")
    .withIndex("by_log", (q) => q.eq("logId", log._id))
    .take(BATCH_ITEMS_MAX);
  for (const item of items) await ctx.db.delete(item._id);
  if (items.length === BATCH_ITEMS_MAX) return;
  await dropBody(ctx, log._id);
  await ctx.db.patch(log._id, { bodyStored: false });
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

async function removeParkedStatuses(ctx: MutationCtx, now: number): Promise<boolean> {
  // A missing field sorts before every number, so the lower bound leaves out the statuses that found their message.
  const parked = await ctx.db
    .query("messageStatuses")
    .withIndex("by_parked_until", (q) => q.gt("parkedUntil", 0).lt("parkedUntil", now))
    .take(BATCH_ROWS_MAX);
  for (const status of parked) await ctx.db.delete(status._id);
  return parked.length === BATCH_ROWS_MAX;
}

/**
 * The oldest lines of the chain that has the oldest one. The chain's anchor moves to the last line removed, so that the
 * rest can still be checked.
 */
async function removeAudit(ctx: MutationCtx, now: number): Promise<boolean> {
  const chain = await ctx.db
    .query("auditChains")
    .withIndex("by_oldest_at", (q) => q.lt("oldestAt", now - AUDIT_KEPT_MS))
    .first();
  return chain !== null && (await cutChain(ctx, chain, now - AUDIT_KEPT_MS, BATCH_ROWS_MAX));
}
