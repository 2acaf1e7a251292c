import { v } from "convex/values";
import { internalMutation } from "./functions";
import { claimMedia, mediaJob, mediaReport, settleMedia, sweepMedia } from "./model/media";

export const claim = internalMutation({
  args: { messageId: v.id("messages") },
  returns: v.union(mediaJob, v.null()),
  handler: async (ctx, args) => await claimMedia(ctx, args.messageId, Date.now()),
});

/** Returns whether the report counted; a file of a report that did not is the worker's to remove. */
export const settle = internalMutation({
  args: { messageId: v.id("messages"), attempt: v.number(), report: mediaReport },
  returns: v.boolean(),
  handler: async (ctx, args) => await settleMedia(ctx, args, Date.now()),
});

/** Cron: starts downloads that were lost. */
export const sweep = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await sweepMedia(ctx, Date.now());
    return null;
  },
});
