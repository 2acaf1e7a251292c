import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction, internalMutation, internalQuery } from "./functions";
import { prepareAccount } from "./model/accountSetup";
import { insertAccount, listAccounts } from "./model/accounts";

const adminAccountView = v.object({
  id: v.id("accounts"),
  name: v.string(),
  phoneNumber: v.string(),
  phoneNumberId: v.string(),
  wabaId: v.string(),
  state: v.union(v.literal("active"), v.literal("disabled")),
});

const newAccount = {
  name: v.string(),
  wabaId: v.string(),
  phoneNumberId: v.string(),
  phoneNumber: v.string(),
};

/**
 * Connects a business number: proves with one Graph call that the token may use it, seals token and secret, and only
 * then stores the account. An action, because only actions have a network and true randomness.
 */
export const add = internalAction({
  args: { ...newAccount, accessToken: v.string(), appSecret: v.optional(v.string()) },
  returns: adminAccountView,
  handler: async (ctx, args): Promise<typeof adminAccountView.type> => {
    const prepared = await prepareAccount(args);
    return await ctx.runMutation(internal.accountsAdmin.insert, prepared);
  },
});

export const insert = internalMutation({
  args: {
    ...newAccount,
    sealId: v.string(),
    accessTokenSealed: v.string(),
    appSecretSealed: v.optional(v.string()),
  },
  returns: adminAccountView,
  handler: async (ctx, args) => await insertAccount(ctx, args, Date.now()),
});

export const list = internalQuery({
  args: {},
  returns: v.array(adminAccountView),
  handler: async (ctx) => await listAccounts(ctx),
});
