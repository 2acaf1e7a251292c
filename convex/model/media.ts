import { type Infer, v } from "convex/values";
import { backoffMs } from "#shared/backoff";
import { HOUR_MS, MINUTE_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";

/**
 * Downloads of what customers sent. The message shows `pending` until the file is stored or given up; the job row is
 * the work list. A download may be repeated freely, so a lost worker only costs another one.
 */

/** How long a download belongs to its worker: 100 MB at 1 MB/s and some room. */
const DOWNLOAD_LEASE_MS = 5 * MINUTE_MS;

/** Attempts before a file is given up; with the waits below they span about a day of Meta's 7 days. */
const DOWNLOAD_ATTEMPTS_MAX = 8;

const DOWNLOAD_BACKOFF = { firstMs: MINUTE_MS, factor: 4, maxMs: 8 * HOUR_MS };

/** Jobs that one run of the sweeper starts. */
const SWEEP_ROWS_MAX = 50;

/** What a worker needs; the access token is still sealed. */
export const mediaJob = v.object({
  attempt: v.number(),
  graphMediaId: v.string(),
  sha256: v.optional(v.string()),
  mime: v.optional(v.string()),
  sealId: v.string(),
  accessTokenSealed: v.string(),
});

export const mediaReport = v.union(
  v.object({
    outcome: v.literal("stored"),
    storageId: v.id("_storage"),
    bytes: v.number(),
    mime: v.optional(v.string()),
  }),
  /** May succeed later. */
  v.object({ outcome: v.literal("retry"), reason: v.string() }),
  /** Will never succeed. */
  v.object({ outcome: v.literal("failed"), reason: v.string() }),
);
export type MediaReport = Infer<typeof mediaReport>;

/** Puts the file of a message that was just stored on the work list. A message without a file is left alone. */
export async function startMediaDownload(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  sha256: string | undefined,
  now: number,
): Promise<void> {
  const message = await ctx.db.get(messageId);
  if (message?.media?.state !== "pending") return;
  await ctx.db.insert("mediaJobs", {
    accountId: message.accountId,
    messageId,
    attempt: 0,
    nextAttemptAt: now,
    ...(sha256 !== undefined && { sha256 }),
  });
  await ctx.scheduler.runAfter(0, internal.mediaNode.download, { messageId });
}

/** Gives the download to a worker under a lease. Null when there is nothing to do, or somebody else does it. */
export async function claimMedia(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  now: number,
): Promise<Infer<typeof mediaJob> | null> {
  const job = await findJob(ctx, messageId);
  if (job === null || job.nextAttemptAt > now) return null;
  const message = await ctx.db.get(messageId);
  const account = await ctx.db.get(job.accountId);
  if (message?.media?.state !== "pending" || account === null) {
    await ctx.db.delete(job._id);
    return null;
  }
  const attempt = job.attempt + 1;
  await ctx.db.patch(job._id, { attempt, nextAttemptAt: now + DOWNLOAD_LEASE_MS });
  const { graphMediaId, mime } = message.media;
  return {
    attempt,
    graphMediaId,
    sealId: account.sealId,
    accessTokenSealed: account.accessTokenSealed,
    ...(job.sha256 !== undefined && { sha256: job.sha256 }),
    ...(mime !== undefined && { mime }),
  };
}

/**
 * Records how a download ended. Returns false when the report came too late to count (another attempt has begun or
 * ended); the worker then removes the file that it stored.
 */
export async function settleMedia(
  ctx: MutationCtx,
  args: { messageId: Id<"messages">; attempt: number; report: MediaReport },
  now: number,
): Promise<boolean> {
  const job = await findJob(ctx, args.messageId);
  const message = await ctx.db.get(args.messageId);
  if (job === null || job.attempt !== args.attempt || message?.media === undefined) return false;
  const { report } = args;
  if (report.outcome === "retry" && job.attempt < DOWNLOAD_ATTEMPTS_MAX) {
    const nextAttemptAt = now + backoffMs(DOWNLOAD_BACKOFF, job.attempt, Math.random());
    await ctx.db.patch(job._id, { nextAttemptAt });
    await ctx.scheduler.runAt(nextAttemptAt, internal.mediaNode.download, { messageId: args.messageId });
    return true;
  }
  await ctx.db.delete(job._id);
  await ctx.db.patch(message._id, { media: settledMedia(message.media, report) });
  return true;
}

function settledMedia(media: NonNullable<Doc<"messages">["media"]>, report: MediaReport) {
  if (report.outcome !== "stored") return { ...media, state: "failed" as const, reason: report.reason };
  const { storageId, bytes, mime } = report;
  return { ...media, state: "ready" as const, storageId, bytes, ...(mime !== undefined && { mime }) };
}

/** Starts downloads whose worker or timer was lost. Returns whether there may be more. */
export async function sweepMedia(ctx: MutationCtx, now: number): Promise<boolean> {
  const due = await ctx.db
    .query("mediaJobs")
    .withIndex("by_next_attempt", (q) => q.lte("nextAttemptAt", now))
    .take(SWEEP_ROWS_MAX);
  for (const job of due) {
    if (job.attempt >= DOWNLOAD_ATTEMPTS_MAX) {
      await settleMedia(
        ctx,
        {
          messageId: job.messageId,
          attempt: job.attempt,
          report: { outcome: "failed", reason: "worker_lost" },
        },
        now,
      );
    } else {
      await ctx.scheduler.runAfter(0, internal.mediaNode.download, { messageId: job.messageId });
    }
  }
  return due.length === SWEEP_ROWS_MAX;
}

async function findJob(ctx: MutationCtx, messageId: Id<"messages">): Promise<Doc<"mediaJobs"> | null> {
  return await ctx.db
    .query("mediaJobs")
    .withIndex("by_message", (q) => q.eq("messageId", messageId))
    .unique();
}
