import { v } from "convex/values";
import { defined } from "#shared/defined";
import { ACCOUNT_EVENTS } from "#shared/domain/account-state";
import { internalMutation, internalQuery } from "./functions";
import {
  accountLink,
  changeAccountState,
  giveUpConnecting as giveUp,
  isAccountVerifyToken,
  openLink,
  storeAccessToken,
  storeAppSecret as storeAppSecretOf,
  storeVerifyToken as storeVerifyTokenOf,
} from "./model/accountLink";
import { actorArg } from "./model/actor";
import { accountState, numberFactsArg } from "./tables/accounts";

/** The transactions of what is done to an account with Meta's help (`model/accountActions`). Each asks the actor's role. */
const task = { actor: actorArg, accountId: v.id("accounts") };

const permission = v.union(v.literal("account.manage"), v.literal("account.remove"));

export const open = internalQuery({
  args: { ...task, permission },
  returns: accountLink,
  handler: async (ctx, args) => await openLink(ctx, args.actor, args.accountId, args.permission),
});

export const storeToken = internalMutation({
  args: {
    ...task,
    accessTokenSealed: v.string(),
    tokenExpiresAt: v.optional(v.number()),
    dataAccessExpiresAt: v.optional(v.number()),
    number: numberFactsArg,
  },
  returns: v.null(),
  handler: async (ctx, { actor, ...token }) => {
    await storeAccessToken(ctx, actor, defined(token), Date.now());
    return null;
  },
});

export const storeAppSecret = internalMutation({
  args: {
    ...task,
    appSecretSealed: v.string(),
    previousSealed: v.optional(v.string()),
    graceMs: v.number(),
  },
  returns: v.object({ previousUntil: v.union(v.number(), v.null()) }),
  handler: async (ctx, { actor, ...secret }) =>
    await storeAppSecretOf(ctx, actor, defined(secret), Date.now()),
});

export const storeVerifyToken = internalMutation({
  args: { ...task, hash: v.string() },
  returns: v.null(),
  handler: async (ctx, { actor, ...token }) => {
    await storeVerifyTokenOf(ctx, actor, token, Date.now());
    return null;
  },
});

export const changeState = internalMutation({
  args: { ...task, event: v.union(...ACCOUNT_EVENTS.map((event) => v.literal(event))) },
  returns: accountState,
  handler: async (ctx, { actor, accountId, event }) => {
    const needed = event === "delete" ? "account.remove" : "account.manage";
    return await changeAccountState(ctx, actor, { accountId, event, permission: needed }, Date.now());
  },
});

/** Scheduled with each attempt to connect. */
export const giveUpConnecting = internalMutation({
  args: { accountId: v.id("accounts"), since: v.number() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await giveUp(ctx, args.accountId, args.since, Date.now());
    return null;
  },
});

/** Whether a handshake brings the verify token of some account. */
export const isVerifyToken = internalQuery({
  args: { token: v.string() },
  returns: v.boolean(),
  handler: async (ctx, args) => await isAccountVerifyToken(ctx, args.token),
});
