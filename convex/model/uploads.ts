import { v } from "convex/values";
import { defined } from "#shared/defined";
import { type Refusal, refusal } from "#shared/errors";
import { DAY_MS, HOUR_MS } from "#shared/time";
import { MEDIA_RULES, type MediaKind } from "#shared/whatsapp/media-kinds";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { mediaKind } from "../tables/uploads";
import { fail } from "./errors";
import { storeOutgoing } from "./media";
import { findStoredFile, holdFile, releaseFile } from "./storedFiles";

/** Files that members and keys bring to be sent: begun, uploaded, judged by their bytes, and used until they expire. */

/** Convex's upload addresses work for an hour. */
const UNFINISHED_LIFE_MS = HOUR_MS;
/** As long as Meta keeps a file that was uploaded there. */
const UPLOAD_LIFE_MS = 30 * DAY_MS;
/** Meta's 30 days, less a day so that no send meets the end. */
export const GRAPH_MEDIA_LIFE_MS = 29 * DAY_MS;
/** Files that one principal may begin within an hour; a person uploads a handful, a campaign sends one many times. */
const UPLOADS_PER_HOUR_MAX = 120;
/** Expired uploads that one run of the sweeper removes. */
const SWEEP_ROWS_MAX = 100;

export const uploadView = v.object({
  uploadId: v.id("uploads"),
  kind: mediaKind,
  state: v.union(v.literal("pending"), v.literal("ready"), v.literal("failed")),
  /** Why it cannot be sent, as a code. */
  reason: v.optional(v.string()),
  filename: v.optional(v.string()),
  mime: v.optional(v.string()),
  bytes: v.optional(v.number()),
  expiresAt: v.number(),
});

/**
 * The file of an account with this id, whatever its state, or null: one of another account and one that does not
 * exist are the same. Whoever sends it asks `requireSendable`.
 */
export async function findUpload(
  ctx: QueryCtx,
  account: Doc<"accounts">,
  uploadId: string,
): Promise<Doc<"uploads"> | null> {
  const id = ctx.db.normalizeId("uploads", uploadId);
  const upload = id === null ? null : await ctx.db.get(id);
  return upload?.accountId === account._id ? upload : null;
}

/** Who uploads, and into which account. */
export interface Uploader {
  account: Doc<"accounts">;
  /** `user:...` or `key:...`. */
  principal: string;
}

/** Begins an upload: the address takes one `POST` of the file and answers `{storageId}`. */
export async function beginUpload(
  ctx: MutationCtx,
  { account, principal }: Uploader,
  file: { kind: MediaKind; filename?: string },
  now: number,
): Promise<{ uploadId: Id<"uploads">; uploadUrl: string; bytesMax: number; expiresAt: number } | Refusal> {
  const recent = await ctx.db
    .query("uploads")
    .withIndex("by_principal_created", (q) => q.eq("principal", principal).gt("createdAt", now - HOUR_MS))
    .take(UPLOADS_PER_HOUR_MAX);
  const oldest = recent[0];
  if (recent.length === UPLOADS_PER_HOUR_MAX && oldest !== undefined) {
    return refusal("rate_limited", { retryAfterMs: oldest.createdAt + HOUR_MS - now });
  }
  const expiresAt = now + UNFINISHED_LIFE_MS;
  const uploadId = await ctx.db.insert("uploads", {
    accountId: account._id,
    principal,
    kind: file.kind,
    state: "pending",
    createdAt: now,
    expiresAt,
    ...defined({ filename: file.filename }),
  });
  const uploadUrl = await ctx.storage.generateUploadUrl();
  return { uploadId, uploadUrl, bytesMax: MEDIA_RULES[file.kind].bytesMax, expiresAt };
}

/**
 * Takes the uploaded file over and lets it be judged. Only a file that came after the upload began and that nobody
 * holds is taken, so that nobody gets at a file by its id. Calling it again has it judged again, if that is still open.
 * Throws `not_found`.
 */
export async function finishUpload(
  ctx: MutationCtx,
  uploader: Uploader,
  args: { uploadId: string; storageId: Id<"_storage"> },
  now: number,
): Promise<void> {
  const upload = await requireUpload(ctx, uploader, args.uploadId, now);
  if (upload.state !== "pending") return;
  if (upload.storageId === undefined) {
    const file = await ctx.db.system.get(args.storageId);
    const isFresh = file !== null && file._creationTime >= upload.createdAt;
    if (!isFresh || (await findStoredFile(ctx, args.storageId)) !== null) fail("not_found");
    await holdFile(ctx, args.storageId, upload.accountId);
    await ctx.db.patch(upload._id, { storageId: args.storageId, bytes: file.size });
  } else if (upload.storageId !== args.storageId) fail("not_found");
  await ctx.scheduler.runAfter(0, internal.uploadsNode.judge, { uploadId: upload._id });
}

/** An upload of this principal that is not over. Throws `not_found`. */
export async function requireUpload(
  ctx: QueryCtx,
  { account, principal }: Uploader,
  uploadId: string,
  now?: number,
): Promise<Doc<"uploads">> {
  const upload = await findUpload(ctx, account, uploadId);
  if (upload === null || upload.principal !== principal) fail("not_found");
  if (now !== undefined && upload.expiresAt <= now) fail("not_found");
  return upload;
}

export function viewUpload(upload: Doc<"uploads">) {
  const { _id, kind, state, expiresAt, reason, filename, mime, bytes } = upload;
  return { uploadId: _id, kind, state, expiresAt, ...defined({ reason, filename, mime, bytes }) };
}

/** Records what a file is by its bytes. A file that cannot be sent goes at once; the first verdict counts. */
export async function settleUpload(
  ctx: MutationCtx,
  uploadId: Id<"uploads">,
  verdict: { mime: string; reason?: string },
  now: number,
): Promise<void> {
  const upload = await ctx.db.get(uploadId);
  if (upload?.state !== "pending" || upload.storageId === undefined) return;
  const { mime, reason } = verdict;
  if (reason === undefined) {
    await ctx.db.patch(uploadId, { state: "ready", mime, expiresAt: now + UPLOAD_LIFE_MS });
    return;
  }
  await ctx.db.patch(uploadId, { state: "failed", mime, reason, storageId: undefined });
  await releaseFile(ctx, upload.storageId);
}

/** The upload as the file of a send, or a sentence that says why it is none. */
export async function requireSendable(
  ctx: QueryCtx,
  uploader: Uploader,
  file: { uploadId: string; kind: MediaKind },
  now: number,
): Promise<{ upload: Doc<"uploads"> } | { reason: "not_found" | "media_refused"; problem: string }> {
  const upload = await findUpload(ctx, uploader.account, file.uploadId);
  if (upload === null || upload.principal !== uploader.principal || upload.expiresAt <= now) {
    return { reason: "not_found", problem: "There is no such upload." };
  }
  if (upload.state === "pending")
    return { reason: "media_refused", problem: "The upload is not finished, or is still being checked." };
  if (upload.state === "failed")
    return { reason: "media_refused", problem: "The uploaded file cannot be sent." };
  if (upload.kind !== file.kind)
    return { reason: "media_refused", problem: `The file was uploaded as ${upload.kind}.` };
  return { upload };
}

/** Gives a message that was just stored the file of an upload; the message holds it from now on. */
export async function attachUpload(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  uploadId: Id<"uploads">,
  now: number,
): Promise<void> {
  const upload = await ctx.db.get(uploadId);
  if (upload?.storageId === undefined || upload.mime === undefined) return;
  const { storageId, mime, bytes = 0 } = upload;
  await storeOutgoing(ctx, messageId, { outcome: "stored", storageId, bytes, mime }, now);
}

/** Remembers Meta's id of an uploaded file, for the next sends of it. */
export async function noteGraphMedia(
  ctx: MutationCtx,
  uploadId: Id<"uploads">,
  graphMediaId: string,
  now: number,
): Promise<void> {
  if ((await ctx.db.get(uploadId)) === null) return;
  await ctx.db.patch(uploadId, { graphMediaId, graphMediaUntil: now + GRAPH_MEDIA_LIFE_MS });
}

/** Cron: removes uploads that are over. Returns whether there may be more. */
export async function sweepUploads(ctx: MutationCtx, now: number): Promise<boolean> {
  const over = await ctx.db
    .query("uploads")
    .withIndex("by_expires_at", (q) => q.lte("expiresAt", now))
    .take(SWEEP_ROWS_MAX);
  for (const { _id, storageId } of over) {
    await ctx.db.delete(_id);
    if (storageId !== undefined) await releaseFile(ctx, storageId);
  }
  return over.length === SWEEP_ROWS_MAX;
}
