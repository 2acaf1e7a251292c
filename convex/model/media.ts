import { type Infer, v } from "convex/values";
import { backoffMs } from "#shared/backoff";
import { defined } from "#shared/defined";
import { type MediaEvent, nextMediaState } from "#shared/domain/media-state";
import { type Refusal, refusal } from "#shared/errors";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { fail } from "./errors";
import { turnLinkPeriod } from "./mediaLinks";
import { appendMessageEvent } from "./messageEvents";
import { holdFile, releaseFile } from "./storedFiles";

/**
 * Downloads of what customers sent. The message shows `pending` until the file is stored or given up
 * (`shared/domain/media-state`); the job row is the work list. A download may be repeated freely, so a lost worker only
 * costs another one.
 */

/** How long a download belongs to its worker: its deadline of 4 minutes and room to store 100 MB. */
const DOWNLOAD_LEASE_MS = 6 * MINUTE_MS;

/**
 * Waits between the attempts. Right after the webhook Meta may not have the file yet, so the first come quickly; the
 * later ones outlast a disturbance. Together they span about a day of the 7 for which Meta keeps the file.
 */
const DOWNLOAD_WAITS_MS = [
  SECOND_MS,
  3 * SECOND_MS,
  10 * SECOND_MS,
  MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  4 * HOUR_MS,
  20 * HOUR_MS,
] as const;
const DOWNLOAD_ATTEMPTS_MAX = DOWNLOAD_WAITS_MS.length + 1;

/** Jobs that one run of the sweeper starts. */
const SWEEP_ROWS_MAX = 50;

/** What a worker needs; the access token is still sealed. */
export const mediaJob = v.object({
  attempt: v.number(),
  type: v.string(),
  graphMediaId: v.string(),
  sha256: v.optional(v.string()),
  mime: v.optional(v.string()),
  filename: v.optional(v.string()),
  sealId: v.string(),
  accessTokenSealed: v.string(),
});

export const mediaReport = v.union(
  v.object({
    outcome: v.literal("stored"),
    storageId: v.id("_storage"),
    bytes: v.number(),
    mime: v.string(),
  }),
  /** May succeed later. */
  v.object({ outcome: v.literal("retry"), reason: v.string() }),
  /** Will never succeed. */
  v.object({ outcome: v.literal("failed"), reason: v.string() }),
);
export type MediaReport = Infer<typeof mediaReport>;

type Media = NonNullable<Doc<"messages">["media"]>;

/** Puts the file of a message that was just stored on the work list. A message without a file is left alone. */
export async function startMediaDownload(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  sha256: string | undefined,
  now: number,
): Promise<void> {
  const message = await ctx.db.get(messageId);
  // Without an id of Meta's there is nothing to fetch: a file of ours is on its way there.
  if (message?.media?.state !== "pending" || message.media.graphMediaId === "") return;
  if (sha256 !== undefined) await ctx.db.patch(messageId, { media: { ...message.media, sha256 } });
  await enlist(ctx, message, now);
}

async function enlist(ctx: MutationCtx, message: Doc<"messages">, now: number): Promise<void> {
  const { _id: messageId, accountId } = message;
  const job = await findJob(ctx, messageId);
  // An edit may bring another file while the first is still fetched: the next attempt is for the new one.
  if (job !== null) await ctx.db.patch(job._id, { nextAttemptAt: now });
  else await ctx.db.insert("mediaJobs", { accountId, messageId, attempt: 0, nextAttemptAt: now });
  await ctx.scheduler.runAfter(0, internal.mediaNode.download, { messageId });
}

/**
 * A person lets a file be fetched again that was given up. Null when it is under way; refused when there is nothing to
 * fetch. Throws `not_found`, also for a message of another account.
 */
export async function retryMedia(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  messageId: Id<"messages">,
  now: number,
): Promise<Refusal | null> {
  const message = await ctx.db.get(messageId);
  if (message?.accountId !== account._id) fail("not_found");
  if (message.media === undefined) return refusal("media_refused", { say: "The message has no file." });
  const { media } = message;
  if (media.state === "pending") return null;
  const state = nextMediaState(media.state, "askedAgain");
  if (state === null || media.graphMediaId === "") {
    return refusal("media_refused", { say: "WhatsApp has no file of this message to fetch." });
  }
  const { reason: _, ...rest } = media;
  await ctx.db.patch(messageId, { media: { ...rest, state } });
  await enlist(ctx, message, now);
  return null;
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
  const { graphMediaId, mime, sha256, filename } = message.media;
  const { sealId, accessTokenSealed } = account;
  return {
    attempt,
    type: message.type,
    graphMediaId,
    sealId,
    accessTokenSealed,
    ...defined({ sha256, mime, filename }),
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
  const wait = DOWNLOAD_WAITS_MS[job.attempt - 1];
  if (report.outcome === "retry" && wait !== undefined) {
    // Spread, so that the files of one disturbance do not come back together.
    const waitMs = backoffMs({ firstMs: wait, factor: 1, maxMs: wait }, 1, Math.random());
    const nextAttemptAt = now + waitMs;
    await ctx.db.patch(job._id, { nextAttemptAt });
    await ctx.scheduler.runAt(nextAttemptAt, internal.mediaNode.download, { messageId: args.messageId });
    return true;
  }
  await ctx.db.delete(job._id);
  return await moveMedia(ctx, message, message.media, report, now);
}

/**
 * Records the file of a message of ours: stored here, so that the thread can show it, or given up. Returns false when
 * the message has one already, or is gone.
 */
export async function storeOutgoing(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  report: MediaReport,
  now: number,
): Promise<boolean> {
  const message = await ctx.db.get(messageId);
  if (message?.media === undefined || report.outcome === "retry") return false;
  return await moveMedia(ctx, message, message.media, report, now);
}

/**
 * A send that ends without having left takes the file along that was still to be fetched for it: nobody will fetch it
 * any more. A file that Meta has, or that is stored already, stays what it is.
 */
export async function giveUpOutgoing(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  now: number,
): Promise<void> {
  const message = await ctx.db.get(messageId);
  if (message?.media === undefined || message.media.graphMediaId !== "") return;
  await moveMedia(ctx, message, message.media, { outcome: "failed", reason: "not_sent" }, now);
}

async function moveMedia(
  ctx: MutationCtx,
  message: Doc<"messages">,
  media: Media,
  report: MediaReport,
  now: number,
): Promise<boolean> {
  const event: MediaEvent = report.outcome === "stored" ? "stored" : "gaveUp";
  const state = nextMediaState(media.state, event);
  if (state === null) return false;
  if (report.outcome === "stored") {
    const { storageId, bytes, mime } = report;
    await holdFile(ctx, storageId, message.accountId);
    await turnLinkPeriod(ctx, now);
    await ctx.db.patch(message._id, { media: { ...media, state, storageId, bytes, mime } });
    const dedupeKey = `${message._id}:${storageId}`;
    await appendMessageEvent(ctx, message._id, { type: "message.media.ready", dedupeKey, occurredAt: now });
    return true;
  }
  await ctx.db.patch(message._id, { media: { ...media, state, reason: report.reason } });
  await appendMessageEvent(ctx, message._id, {
    type: "message.media.failed",
    dedupeKey: `${message._id}:${now}`,
    occurredAt: now,
    more: { reason: report.reason },
  });
  return true;
}

/**
 * Removes the file of a message that is being deleted or emptied: its download stops, and its bytes go unless another
 * message carries the same file. A message that stays shows that its file was removed.
 */
export async function dropMedia(ctx: MutationCtx, message: Doc<"messages">): Promise<void> {
  const job = await findJob(ctx, message._id);
  if (job !== null) await ctx.db.delete(job._id);
  const { media } = message;
  const state = media === undefined ? null : nextMediaState(media.state, "dropped");
  if (media === undefined || state === null) return;
  const { storageId, filename: _, ...rest } = media;
  await ctx.db.patch(message._id, { media: { ...rest, state, graphMediaId: "", reason: "removed" } });
  if (storageId !== undefined) await releaseFile(ctx, storageId);
}

/** Starts downloads whose worker or timer was lost. Returns whether there may be more. */
export async function sweepMedia(ctx: MutationCtx, now: number): Promise<boolean> {
  const due = await ctx.db
    .query("mediaJobs")
    .withIndex("by_next_attempt", (q) => q.lte("nextAttemptAt", now))
    .take(SWEEP_ROWS_MAX);
  for (const job of due) {
    const { messageId, attempt } = job;
    if (attempt >= DOWNLOAD_ATTEMPTS_MAX) {
      await settleMedia(
        ctx,
        { messageId, attempt, report: { outcome: "failed", reason: "worker_lost" } },
        now,
      );
    } else {
      await ctx.scheduler.runAfter(0, internal.mediaNode.download, { messageId });
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
