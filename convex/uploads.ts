import { v } from "convex/values";
import { defined } from "#shared/defined";
import { internal } from "./_generated/api";
import { internalMutation, internalQuery, memberMutation, memberQuery } from "./functions";
import { mediaReport, storeOutgoing } from "./model/media";
import { noteMessageFile, outgoingFile, planOutgoingFile } from "./model/outgoingMedia";
import {
  beginUpload,
  finishUpload,
  noteGraphMedia,
  requireUpload,
  settleUpload,
  sweepUploads,
  uploadView,
  viewUpload,
} from "./model/uploads";
import { refusalView } from "./model/views";
import { mediaKind } from "./tables/uploads";

/** What an upload that was begun is answered with: where to `POST` the file, which answers `{storageId}`. */
export const begunUpload = v.object({
  uploadId: v.id("uploads"),
  uploadUrl: v.string(),
  bytesMax: v.number(),
  expiresAt: v.number(),
});

export const begin = memberMutation({
  permission: "messages.send",
  args: { accountId: v.id("accounts"), kind: mediaKind, filename: v.optional(v.string()) },
  returns: v.union(begunUpload, refusalView),
  handler: async (ctx, { kind, filename }) => {
    const uploader = { account: ctx.account, principal: `user:${ctx.userId}` };
    return await beginUpload(ctx, uploader, { kind, ...defined({ filename }) }, Date.now());
  },
});

/** The file is uploaded; it is judged now. */
export const finish = memberMutation({
  permission: "messages.send",
  args: { accountId: v.id("accounts"), uploadId: v.string(), storageId: v.id("_storage") },
  returns: v.null(),
  handler: async (ctx, args) => {
    await finishUpload(ctx, { account: ctx.account, principal: `user:${ctx.userId}` }, args, Date.now());
    return null;
  },
});

/** What became of an upload. Subscribe to it while it is pending. */
export const get = memberQuery({
  permission: "messages.send",
  args: { accountId: v.id("accounts"), uploadId: v.string() },
  returns: uploadView,
  handler: async (ctx, { uploadId }) => {
    const uploader = { account: ctx.account, principal: `user:${ctx.userId}` };
    return viewUpload(await requireUpload(ctx, uploader, uploadId));
  },
});

/** The file of an upload that is to be judged, or null when that is done. */
export const toJudge = internalQuery({
  args: { uploadId: v.id("uploads") },
  returns: v.union(
    v.null(),
    v.object({ kind: mediaKind, storageId: v.id("_storage"), filename: v.optional(v.string()) }),
  ),
  handler: async (ctx, { uploadId }) => {
    const upload = await ctx.db.get(uploadId);
    if (upload?.state !== "pending" || upload.storageId === undefined) return null;
    const { kind, storageId, filename } = upload;
    return { kind, storageId, ...defined({ filename }) };
  },
});

export const settle = internalMutation({
  args: {
    uploadId: v.id("uploads"),
    verdict: v.object({ mime: v.string(), reason: v.optional(v.string()) }),
  },
  returns: v.null(),
  handler: async (ctx, { uploadId, verdict }) => {
    await settleUpload(ctx, uploadId, verdict, Date.now());
    return null;
  },
});

export const plan = internalQuery({
  args: { outboxId: v.id("outbox") },
  returns: v.union(outgoingFile, v.null()),
  handler: async (ctx, { outboxId }) => await planOutgoingFile(ctx, outboxId),
});

/** Returns whether the report counted; a file of a report that did not is the worker's to remove. */
export const settleLinked = internalMutation({
  args: { messageId: v.id("messages"), report: mediaReport },
  returns: v.boolean(),
  handler: async (ctx, { messageId, report }) => await storeOutgoing(ctx, messageId, report, Date.now()),
});

/** Remembers Meta's id of a file, where it belongs. */
export const noteGraphId = internalMutation({
  args: { messageId: v.id("messages"), uploadId: v.optional(v.id("uploads")), graphMediaId: v.string() },
  returns: v.null(),
  handler: async (ctx, { messageId, uploadId, graphMediaId }) => {
    if (uploadId === undefined) await noteMessageFile(ctx, messageId, graphMediaId);
    else await noteGraphMedia(ctx, uploadId, graphMediaId, Date.now());
    return null;
  },
});

/** Cron: removes uploads that are over. */
export const sweep = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const more = await sweepUploads(ctx, Date.now());
    if (more) await ctx.scheduler.runAfter(0, internal.uploads.sweep, {});
    return null;
  },
});
