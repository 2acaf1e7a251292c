import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction, internalMutation } from "./functions";
import { tellRead } from "./model/readDispatch";
import { claimRead, readJob, readReport, settleRead, sweepReads } from "./model/readMarks";

/** One attempt to tell WhatsApp what was read: claim, POST, record the outcome. */
export const deliver = internalAction({
  args: { markId: v.id("readMarks") },
  returns: v.null(),
  handler: async (ctx, { markId }) => {
    const claimToken = crypto.randomUUID();
    const job = await ctx.runMutation(internal.readMarks.claim, { markId, claimToken });
    if (job === null) return null;
    const report = await tellRead(job);
    await ctx.runMutation(internal.readMarks.settle, { markId, claimToken, report });
    return null;
  },
});

export const claim = internalMutation({
  args: { markId: v.id("readMarks"), claimToken: v.string() },
  returns: v.union(readJob, v.null()),
  handler: async (ctx, { markId, claimToken }) => await claimRead(ctx, markId, claimToken, Date.now()),
});

export const settle = internalMutation({
  args: { markId: v.id("readMarks"), claimToken: v.string(), report: readReport },
  returns: v.null(),
  handler: async (ctx, { markId, claimToken, report }) => {
    await settleRead(ctx, markId, claimToken, report, Date.now());
    return null;
  },
});

/** Cron: starts receipts whose worker was lost. */
export const sweep = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await sweepReads(ctx, Date.now());
    return null;
  },
});
