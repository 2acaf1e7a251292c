import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalAction, internalMutation, memberAction, memberQuery } from "./functions";
import { endRestrictions as endRestrictionsOf } from "./model/accountEvents";
import {
  askAboutHealth,
  healthReport,
  healthView,
  readHealth,
  storeHealth,
  sweepHealth,
} from "./model/accountHealth";
import { ADMIN, userActor } from "./model/actor";

const accountId = v.id("accounts");
type Health = typeof healthView.type;

/** What the last look at the account found, each problem with what mends it. */
export const get = memberQuery({
  permission: "account.read",
  args: { accountId },
  returns: healthView,
  handler: async (ctx) => await readHealth(ctx, ctx.account._id),
});

/** Looks now, with Meta. */
export const refresh = memberAction({
  permission: "account.manage",
  args: { accountId },
  returns: v.union(healthView, v.null()),
  handler: async (ctx, args): Promise<Health | null> => {
    const asked = { actor: userActor(ctx.userId), ...args, permission: "account.manage" as const };
    const link = await ctx.runQuery(internal.accountLink.open, asked);
    const report = await askAboutHealth(link);
    return await ctx.runMutation(internal.accountHealth.store, { ...args, report });
  },
});

/** One look: ask, store. Started by the sweep and by the administrator. */
export const check = internalAction({
  args: { accountId },
  returns: v.union(healthView, v.null()),
  handler: async (ctx, args): Promise<Health | null> => {
    const asked = { actor: ADMIN, ...args, permission: "account.manage" as const };
    const link = await ctx.runQuery(internal.accountLink.open, asked);
    const report = await askAboutHealth(link);
    return await ctx.runMutation(internal.accountHealth.store, { ...args, report });
  },
});

export const store = internalMutation({
  args: { accountId, report: healthReport },
  returns: v.union(healthView, v.null()),
  handler: async (ctx, args) => await storeHealth(ctx, args.accountId, args.report, Date.now()),
});

/** Cron: looks at every working account, and warns of tokens that end. Calls itself with where it stopped. */
export const sweep = internalMutation({
  args: { cursor: v.optional(v.string()) },
  returns: v.null(),
  handler: async (ctx, args) => {
    const cursor = await sweepHealth(ctx, args.cursor ?? null, Date.now());
    if (cursor !== null) await ctx.scheduler.runAfter(0, internal.accountHealth.sweep, { cursor });
    return null;
  },
});

/** Scheduled for the end of each restriction that Meta has put on an account. */
export const endRestrictions = internalMutation({
  args: { accountId },
  returns: v.null(),
  handler: async (ctx, args) => {
    await endRestrictionsOf(ctx, args.accountId, Date.now());
    return null;
  },
});
