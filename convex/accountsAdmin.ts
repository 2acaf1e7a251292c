import { v } from "convex/values";
import { defined } from "#shared/defined";
import { internal } from "./_generated/api";
import { internalAction, internalMutation, internalQuery } from "./functions";
import {
  byAdmin,
  detach as detachAccount,
  reattach as reattachAccount,
  remove as removeAccount,
  rotateAccessToken,
} from "./model/accountActions";
import { prepareAccount } from "./model/accountSetup";
import { insertAccount, listAccounts } from "./model/accounts";
import { ADMIN } from "./model/actor";
import { accountState, preparedAccountArgs } from "./tables/accounts";

const adminAccountView = v.object({
  id: v.id("accounts"),
  name: v.string(),
  phoneNumber: v.string(),
  phoneNumberId: v.string(),
  wabaId: v.string(),
  state: accountState,
  verifiedName: v.optional(v.string()),
  quality: v.optional(v.string()),
});

const newAccount = { name: v.string(), wabaId: v.string(), phoneNumberId: v.string() };
const named = { accountId: v.id("accounts") };

/**
 * Connects a business number: proves with Graph that the token may use it, seals token and secret, and only then
 * stores the account. An action, because only actions have a network and true randomness.
 */
export const add = internalAction({
  args: {
    ...newAccount,
    /** Compared with what Meta says, where given. */
    phoneNumber: v.optional(v.string()),
    accessToken: v.string(),
    appSecret: v.optional(v.string()),
  },
  returns: adminAccountView,
  handler: async (ctx, args): Promise<typeof adminAccountView.type> => {
    const prepared = await prepareAccount(defined(args));
    return await ctx.runMutation(internal.accountsAdmin.insert, prepared);
  },
});

export const insert = internalMutation({
  args: preparedAccountArgs,
  returns: adminAccountView,
  handler: async (ctx, args) => await insertAccount(ctx, ADMIN, defined(args), Date.now()),
});

export const list = internalQuery({
  args: {},
  returns: v.array(adminAccountView),
  handler: async (ctx) => await listAccounts(ctx),
});

/** Replaces the access token, after Meta has shown with the new one that it is for this very number. */
export const rotateToken = internalAction({
  args: { ...named, accessToken: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await rotateAccessToken(ctx, byAdmin(args.accountId), args.accessToken);
    return null;
  },
});

/** Takes the number away from here and keeps its data. */
export const detach = internalAction({
  args: named,
  returns: v.object({ unsubscribed: v.boolean() }),
  handler: async (ctx, args) => await detachAccount(ctx, byAdmin(args.accountId)),
});

export const reattach = internalAction({
  args: named,
  returns: v.null(),
  handler: async (ctx, args) => {
    await reattachAccount(ctx, byAdmin(args.accountId));
    return null;
  },
});

/** Ends the account and everything in it. There is no way back. */
export const remove = internalAction({
  args: named,
  returns: v.object({ unsubscribed: v.boolean() }),
  handler: async (ctx, args) => await removeAccount(ctx, byAdmin(args.accountId)),
});
