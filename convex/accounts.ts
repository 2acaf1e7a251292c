import { v } from "convex/values";
import { defined } from "#shared/defined";
import { internalMutation, internalQuery, userAction, userQuery } from "./functions";
import {
  connectionsOf,
  discoverNumbers,
  discovery,
  discoveryCredential,
  numberConnection,
} from "./model/accountDiscovery";
import {
  chosenNumber,
  connectedNumber,
  connectNumber,
  importedNumber,
  importNumbers as importThem,
} from "./model/accountImport";
import { insertAccount, listAccountsOf } from "./model/accounts";
import { userActor } from "./model/actor";
import { accountView } from "./model/views";
import { preparedAccountArgs } from "./tables/accounts";

/** The accounts that the signed-in person belongs to. */
export const list = userQuery({
  args: {},
  returns: v.array(accountView),
  handler: async (ctx) => await listAccountsOf(ctx, ctx.userId),
});

/** Which numbers a token or a login at Meta shows, and which of them can be connected. */
export const discover = userAction({
  args: { credential: discoveryCredential },
  returns: discovery,
  handler: async (ctx, args): Promise<typeof discovery.type> =>
    await discoverNumbers(ctx, ctx.userId, args.credential, Date.now()),
});

/** Connects numbers of a discovery; the person becomes their owner. */
const importNumbers = userAction({
  args: { grant: v.string(), numbers: v.array(chosenNumber) },
  returns: v.array(importedNumber),
  handler: async (ctx, args): Promise<(typeof importedNumber.type)[]> =>
    await importThem(ctx, ctx.userId, args, Date.now()),
});

export { importNumbers as import };

/** Connects one number by its ids and a token for it; the person becomes its owner. */
export const add = userAction({
  args: { ...chosenNumber.fields, accessToken: v.string() },
  returns: connectedNumber,
  handler: async (ctx, { pin, ...draft }): Promise<typeof connectedNumber.type> =>
    await connectNumber(ctx, ctx.userId, defined(draft), pin),
});

/** Stores a number that was proven, for the person who proved it. */
export const insert = internalMutation({
  args: { ...preparedAccountArgs, userId: v.string() },
  returns: v.id("accounts"),
  handler: async (ctx, { userId, ...account }) =>
    (await insertAccount(ctx, userActor(userId), defined(account), Date.now())).id,
});

export const connections = internalQuery({
  args: { userId: v.string(), phoneNumberIds: v.array(v.string()) },
  returns: v.array(numberConnection),
  handler: async (ctx, args) => await connectionsOf(ctx, args.userId, args.phoneNumberIds),
});
