import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction, internalMutation } from "./functions";
import { dispatch } from "./model/dispatch";
import { wakeWaiting } from "./model/lane";
import { needsPreparing } from "./model/outgoingMedia";
import { claimSend, markDispatching as markSendDispatching, sendJob } from "./model/sendClaim";
import { releaseHold, sendReport, settleSend } from "./model/sendMachine";
import { sweepOutbox } from "./model/sendSweep";

/** One attempt of one send: claim, bring its file to Meta, write down that it leaves, POST, record the outcome. Decides nothing itself. */
export const deliver = internalAction({
  args: { outboxId: v.id("outbox") },
  returns: v.null(),
  handler: async (ctx, { outboxId }) => {
    const claimToken = crypto.randomUUID();
    const job = await ctx.runMutation(internal.outbox.claim, { outboxId, claimToken });
    if (job === null) return null;
    const file = needsPreparing(job.payload)
      ? await ctx.runAction(internal.uploadsNode.prepare, { outboxId })
      : null;
    const report = await dispatch(outboxId, job, file, () =>
      ctx.runMutation(internal.outbox.markDispatching, { outboxId, claimToken }),
    );
    if (report !== null) await ctx.runMutation(internal.outbox.settle, { outboxId, claimToken, report });
    return null;
  },
});

export const claim = internalMutation({
  args: { outboxId: v.id("outbox"), claimToken: v.string() },
  returns: v.union(sendJob, v.null()),
  handler: async (ctx, args) => await claimSend(ctx, args.outboxId, args.claimToken, Date.now()),
});

export const markDispatching = internalMutation({
  args: { outboxId: v.id("outbox"), claimToken: v.string() },
  returns: v.boolean(),
  handler: async (ctx, args) => await markSendDispatching(ctx, args.outboxId, args.claimToken, Date.now()),
});

export const settle = internalMutation({
  args: { outboxId: v.id("outbox"), claimToken: v.string(), report: sendReport },
  returns: v.null(),
  handler: async (ctx, args) => {
    await settleSend(ctx, args.outboxId, args.claimToken, args.report, Date.now());
    return null;
  },
});

/** Scheduled for the end of the time that an unknown outcome holds back its conversation. */
export const releaseLane = internalMutation({
  args: { outboxId: v.id("outbox") },
  returns: v.null(),
  handler: async (ctx, args) => {
    await releaseHold(ctx, args.outboxId, Date.now());
    return null;
  },
});

/** Starts the sends that waited while sending from the account was paused. Called when the pause ends. */
export const wakeAccount = internalMutation({
  args: { accountId: v.id("accounts") },
  returns: v.null(),
  handler: async (ctx, { accountId }) => {
    const more = await wakeWaiting(ctx, accountId, Date.now());
    if (more) await ctx.scheduler.runAfter(0, internal.outbox.wakeAccount, { accountId });
    return null;
  },
});

/** Cron: ends expired leases and starts deliveries that were lost. Calls itself with where it stopped. */
export const sweep = internalMutation({
  args: { walk: v.optional(v.object({ dueBy: v.number(), cursor: v.string() })) },
  returns: v.null(),
  handler: async (ctx, { walk }) => {
    const now = Date.now();
    const dueBy = walk?.dueBy ?? now;
    const cursor = await sweepOutbox(ctx, { dueBy, cursor: walk?.cursor ?? null }, now);
    if (cursor !== null) await ctx.scheduler.runAfter(0, internal.outbox.sweep, { walk: { dueBy, cursor } });
    return null;
  },
});
