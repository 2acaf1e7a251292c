import { v } from "convex/values";
import { memberMutation, memberQuery } from "./functions";
import { accountRulesFields, readAccountRules, writeAccountRules } from "./model/accountRules";

/** What the account has decided for itself: opt-out words, who writes, how long things are kept. */
export const get = memberQuery({
  permission: "inbox.read",
  args: { accountId: v.id("accounts") },
  returns: v.object(accountRulesFields),
  handler: async (ctx) => await readAccountRules(ctx, ctx.account._id),
});

/** Replaces the rules as a whole; a field that is left out goes back to its default. */
export const set = memberMutation({
  permission: "account.manage",
  args: { accountId: v.id("accounts"), rules: v.object(accountRulesFields) },
  returns: v.null(),
  handler: async (ctx, args) => {
    await writeAccountRules(ctx, ctx.account._id, args.rules, `user:${ctx.userId}`, Date.now());
    return null;
  },
});
