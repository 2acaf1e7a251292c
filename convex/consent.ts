import { v } from "convex/values";
import { changeBlocked } from "#shared/whatsapp/client-accounts";
import { graphErrorRule } from "#shared/whatsapp/graph-errors";
import { internal } from "./_generated/api";
import { internalAction, internalMutation, memberMutation, memberQuery } from "./functions";
import {
  blockJob,
  blockReport,
  claimBlock,
  setBlocked as setContactBlocked,
  settleBlock,
  sweepBlocks,
} from "./model/blocks";
import { consentView, requireContact, setConsentAsMember, viewConsent } from "./model/consentRecords";
import { graphClient } from "./model/graph";
import { openAccountSecret } from "./model/secrets";
import { consentCategory, consentWord } from "./tables/consent";

const ofContact = { accountId: v.id("accounts"), contactId: v.id("contacts") };

/** What a contact has agreed to, and how we know. */
export const get = memberQuery({
  permission: "inbox.read",
  args: ofContact,
  returns: consentView,
  handler: async (ctx, args) =>
    await viewConsent(ctx, await requireContact(ctx, ctx.account._id, args.contactId)),
});

/** Enters what the customer said elsewhere, such as on the telephone. */
export const set = memberMutation({
  permission: "consent.manage",
  args: { ...ofContact, category: consentCategory, state: consentWord, note: v.optional(v.string()) },
  returns: consentView,
  handler: async (ctx, args) => {
    const contact = await requireContact(ctx, ctx.account._id, args.contactId);
    await setConsentAsMember(ctx, contact, { ...args, userId: ctx.userId }, Date.now());
    return await viewConsent(ctx, contact);
  },
});

/** Blocks the contact here and at WhatsApp, or takes it back. */
export const setBlocked = memberMutation({
  permission: "consent.manage",
  args: { ...ofContact, blocked: v.boolean() },
  returns: consentView,
  handler: async (ctx, args) => {
    const contact = await requireContact(ctx, ctx.account._id, args.contactId);
    await setContactBlocked(ctx, contact, args.blocked, `user:${ctx.userId}`, Date.now());
    return await viewConsent(ctx, contact);
  },
});

/** Brings Meta's block list up to ours. Decides nothing: it acts between `claim` and `settle`. */
export const pushBlock = internalAction({
  args: { contactId: v.id("contacts") },
  returns: v.null(),
  handler: async (ctx, { contactId }) => {
    const job = await ctx.runMutation(internal.consent.claimPush, { contactId });
    if (job === null) return null;
    const { attempt, change, user } = job;
    const accessToken = await openAccountSecret(job, "accessToken", job.accessTokenSealed);
    const report = accessToken === null ? UNREADABLE : await tellMeta(accessToken, job);
    await ctx.runMutation(internal.consent.settlePush, { contactId, attempt, change, user, report });
    return null;
  },
});

const UNREADABLE = { outcome: "retry" as const, reason: "token_unreadable" };

async function tellMeta(
  accessToken: string,
  { phoneNumberId, change, user }: typeof blockJob.type,
): Promise<typeof blockReport.type> {
  const answer = await changeBlocked(graphClient(accessToken), phoneNumberId, change, [user]);
  if (answer.ok) {
    const { done, failed } = answer.value;
    if (failed.length > 0) return { outcome: "failed", reason: "graph_139100" };
    // An answer that names nobody is none.
    return done.length > 0 ? { outcome: "done" } : { outcome: "retry", reason: "unreadable" };
  }
  // Without a code the call may simply have been lost; with one Meta will not do it, or says that it may later.
  const { error, reason } = answer;
  const mayPass = error === undefined || graphErrorRule(error).backoff !== undefined;
  return { outcome: mayPass ? "retry" : "failed", reason };
}

export const claimPush = internalMutation({
  args: { contactId: v.id("contacts") },
  returns: v.union(blockJob, v.null()),
  handler: async (ctx, args) => await claimBlock(ctx, args.contactId, Date.now()),
});

export const settlePush = internalMutation({
  args: {
    contactId: v.id("contacts"),
    attempt: v.number(),
    change: blockJob.fields.change,
    user: v.string(),
    report: blockReport,
  },
  returns: v.null(),
  handler: async (ctx, args) => {
    await settleBlock(ctx, args, Date.now());
    return null;
  },
});

/** Cron: tells Meta what a lost worker did not. */
export const sweepPushes = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    await sweepBlocks(ctx, Date.now());
    return null;
  },
});
