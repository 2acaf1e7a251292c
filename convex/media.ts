import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalMutation, memberMutation, serviceQuery } from "./functions";
import { claimMedia, mediaJob, mediaReport, retryMedia, settleMedia, sweepMedia } from "./model/media";
import { openedMedia, openMediaLink, turnLinkPeriod } from "./model/mediaLinks";
import { sweepStoredFiles } from "./model/storedFiles";
import { refusalView } from "./model/views";

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

/** A member lets a file be fetched again that was given up. Null when it is under way. */
export const retry = memberMutation({
  permission: "inbox.write",
  args: { accountId: v.id("accounts"), messageId: v.id("messages") },
  returns: v.union(v.null(), refusalView),
  handler: async (ctx, args) => await retryMedia(ctx, ctx.account, args.messageId, Date.now()),
});

/** The file behind a signed link, or null for every link that opens nothing now. `now` is the server's clock. */
export const open = serviceQuery({
  args: {
    messageId: v.string(),
    principal: v.string(),
    expiresAt: v.number(),
    signature: v.string(),
    now: v.number(),
  },
  returns: v.union(openedMedia, v.null()),
  handler: async (ctx, { now, ...link }) => await openMediaLink(ctx, link, now),
});

/** Cron: lets links end by giving out new ones. */
export const turnLinks = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await turnLinkPeriod(ctx, Date.now());
    return null;
  },
});

/** Cron: removes files that a worker stored and nobody holds. */
export const sweepFiles = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const more = await sweepStoredFiles(ctx, Date.now());
    if (more) await ctx.scheduler.runAfter(0, internal.media.sweepFiles, {});
    return null;
  },
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
