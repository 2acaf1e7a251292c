"use node";

import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction } from "./functions";
import { fileTypeOf } from "./model/fileType";
import { graphClient } from "./model/graph";
import type { MediaReport } from "./model/media";
import { DOWNLOAD_DEADLINE_MS, downloadMedia } from "./model/mediaDownload";
import { openAccountSecret } from "./model/secrets";

/**
 * Downloads the file of one message and stores it. In Node, because a file of 100 MB does not fit into the memory of
 * the default runtime. Decides nothing: it acts between `media.claim` and `media.settle`.
 */
export const download = internalAction({
  args: { messageId: v.id("messages") },
  returns: v.null(),
  handler: async (ctx, { messageId }) => {
    const job = await ctx.runMutation(internal.media.claim, { messageId });
    if (job === null) return null;
    const accessToken = await openAccountSecret(job, "accessToken", job.accessTokenSealed);
    const file =
      accessToken === null
        ? ({ ok: false, reason: "token_unreadable", final: false } as const)
        : await downloadMedia(graphClient(accessToken, DOWNLOAD_DEADLINE_MS), job.graphMediaId, job.sha256);
    if (!file.ok) {
      const report: MediaReport = { outcome: file.final ? "failed" : "retry", reason: file.reason };
      await ctx.runMutation(internal.media.settle, { messageId, attempt: job.attempt, report });
      return null;
    }
    const stated = { mime: file.mime ?? job.mime, filename: job.filename };
    const type = await fileTypeOf(file.bytes, stated);
    const storageId = await ctx.storage.store(new Blob([new Uint8Array(file.bytes)], { type }));
    const report: MediaReport = { outcome: "stored", storageId, bytes: file.bytes.length, mime: type };
    const counted = await ctx.runMutation(internal.media.settle, { messageId, attempt: job.attempt, report });
    if (!counted) await ctx.storage.delete(storageId);
    return null;
  },
});
