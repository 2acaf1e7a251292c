import { v } from "convex/values";
import { internalMutation, memberMutation, memberQuery } from "./functions";
import { requireContact } from "./model/consentRecords";
import { requestDeletion } from "./model/deletion";
import { requestErasure, requestErasureByName } from "./model/erasure";
import { workJob } from "./model/jobRunner";
import { cancelJob, jobView, listJobs, retryJob, sweepJobs } from "./model/jobs";

/** Erasures, exports and deletions of the account with their progress, newest first. */
export const list = memberQuery({
  permission: "account.read",
  args: { accountId: v.id("accounts") },
  returns: v.array(jobView),
  handler: async (ctx) => await listJobs(ctx, ctx.account._id),
});

/** Stops a job; what it has done stays done. */
export const cancel = memberMutation({
  permission: "data.erase",
  args: { accountId: v.id("accounts"), jobId: v.id("jobs") },
  returns: v.null(),
  handler: async (ctx, args) => {
    await cancelJob(ctx, ctx.account._id, args.jobId, Date.now());
    return null;
  },
});

/** Lets a job go on that failed. The joining of two contacts is any member's to repeat, an erasure an owner's. */
export const retry = memberMutation({
  permission: "inbox.write",
  args: { accountId: v.id("accounts"), jobId: v.id("jobs") },
  returns: v.null(),
  handler: async (ctx, args) => {
    const { userId, role } = ctx;
    await retryJob(ctx, { accountId: ctx.account._id, userId, role }, args.jobId, Date.now());
    return null;
  },
});

/** Erases a person with everything that they wrote and were written; only a hash of an opt-out stays. */
export const eraseContact = memberMutation({
  permission: "data.erase",
  args: { accountId: v.id("accounts"), contactId: v.id("contacts") },
  returns: v.id("jobs"),
  handler: async (ctx, args) => {
    const contact = await requireContact(ctx, ctx.account._id, args.contactId);
    return await requestErasure(ctx, contact, `user:${ctx.userId}`, Date.now());
  },
});

/** The same for the administrator, who names the person by number, @username or id. Throws `not_found`. */
export const eraseByName = internalMutation({
  args: { accountId: v.id("accounts"), contact: v.string() },
  returns: v.id("jobs"),
  handler: async (ctx, args) => await requestErasureByName(ctx, args, Date.now()),
});

/** Deletes an account with all its data and files. Called by whoever has decided that it may be. */
export const startDeletion = internalMutation({
  args: { accountId: v.id("accounts"), requestedBy: v.string() },
  returns: v.id("jobs"),
  handler: async (ctx, args) => await requestDeletion(ctx, args, Date.now()),
});

/** The runner: one step of a job. */
export const work = internalMutation({
  args: { jobId: v.id("jobs"), ticket: v.number() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await workJob(ctx, args.jobId, args.ticket, Date.now());
    return null;
  },
});

/** Cron: starts jobs whose runner was lost. */
export const sweep = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await sweepJobs(ctx, Date.now());
    return null;
  },
});
