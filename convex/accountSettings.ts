import { v } from "convex/values";
import { memberAction, memberMutation } from "./functions";
import {
  detach as detachAccount,
  reattach as reattachAccount,
  register as registerAccount,
  remove as removeAccount,
  rotateAppSecret as rotateSecret,
  rotateAccessToken as rotateToken,
  rotateVerifyToken as rotateVerify,
  subscribe as subscribeAccount,
} from "./model/accountActions";
import { setSending } from "./model/accountLink";
import { renameAccount } from "./model/accounts";
import { userActor } from "./model/actor";

const accountId = v.id("accounts");
const left = v.object({
  /** False where Meta did not answer, or another number of the same WhatsApp Business account still needs it. */
  unsubscribed: v.boolean(),
});

const taskOf = (ctx: { userId: string }, args: { accountId: typeof accountId.type }) => ({
  actor: userActor(ctx.userId),
  accountId: args.accountId,
});

export const rename = memberMutation({
  permission: "account.manage",
  args: { accountId, name: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await renameAccount(ctx, ctx.account, args.name);
    return null;
  },
});

/** Nothing leaves until somebody resumes. Messages are still taken and wait. */
export const pauseSending = memberMutation({
  permission: "account.manage",
  args: { accountId },
  returns: v.null(),
  handler: async (ctx, args) => {
    await setSending(ctx, userActor(ctx.userId), { ...args, state: "paused" }, Date.now());
    return null;
  },
});

export const resumeSending = memberMutation({
  permission: "account.manage",
  args: { accountId },
  returns: v.null(),
  handler: async (ctx, args) => {
    await setSending(ctx, userActor(ctx.userId), { ...args, state: "active" }, Date.now());
    return null;
  },
});

/** Replaces the access token, after Meta has shown with the new one that it is for this very number. */
export const rotateAccessToken = memberAction({
  permission: "account.manage",
  args: { accountId, accessToken: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await rotateToken(ctx, taskOf(ctx, args), args.accessToken);
    return null;
  },
});

/** Replaces the app secret; the one before is accepted for `graceMs` more, a week unless given. */
export const rotateAppSecret = memberAction({
  permission: "account.manage",
  args: { accountId, appSecret: v.string(), graceMs: v.optional(v.number()) },
  returns: v.object({ previousUntil: v.union(v.number(), v.null()) }),
  handler: async (ctx, args) => await rotateSecret(ctx, taskOf(ctx, args), args.appSecret, args.graceMs),
});

/** A verify token for this account alone, shown this once. */
export const rotateVerifyToken = memberAction({
  permission: "account.manage",
  args: { accountId },
  returns: v.object({ verifyToken: v.string() }),
  handler: async (ctx, args) => await rotateVerify(ctx, taskOf(ctx, args)),
});

/** Lets Meta send the account's webhooks, to the app's address or to `callbackUrl`. */
export const subscribe = memberAction({
  permission: "account.manage",
  args: { accountId, callbackUrl: v.optional(v.string()) },
  returns: v.null(),
  handler: async (ctx, args) => {
    await subscribeAccount(ctx, taskOf(ctx, args), args.callbackUrl);
    return null;
  },
});

/** Makes the number usable with the Cloud API; the PIN becomes its two-step PIN, or must be the one that it has. */
export const register = memberAction({
  permission: "account.manage",
  args: { accountId, pin: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await registerAccount(ctx, taskOf(ctx, args), args.pin);
    return null;
  },
});

/** Takes the number away from here and keeps its data. */
export const detach = memberAction({
  permission: "account.manage",
  args: { accountId },
  returns: left,
  handler: async (ctx, args) => await detachAccount(ctx, taskOf(ctx, args)),
});

/** Brings a detached number back, if Meta still shows it to its token. */
export const reattach = memberAction({
  permission: "account.manage",
  args: { accountId },
  returns: v.null(),
  handler: async (ctx, args) => {
    await reattachAccount(ctx, taskOf(ctx, args));
    return null;
  },
});

/** Ends the account and everything in it. There is no way back. */
export const remove = memberAction({
  permission: "account.remove",
  args: { accountId },
  returns: left,
  handler: async (ctx, args) => await removeAccount(ctx, taskOf(ctx, args)),
});
