import { v } from "convex/values";
import { internalQuery, memberQuery } from "./functions";
import { auditLineView, chainCheck, chainPlace, checkAudit, listAudit } from "./model/auditReads";

/** Who did what in the account, and what was refused, newest first; `before` is the `next` of an earlier page. */
export const list = memberQuery({
  permission: "audit.read",
  args: { accountId: v.id("accounts"), before: v.optional(v.number()), limit: v.optional(v.number()) },
  returns: v.object({ lines: v.array(auditLineView), next: v.union(v.number(), v.null()) }),
  handler: async (ctx, args) => await listAudit(ctx, ctx.account._id, args),
});

/** Checks the account's chain, step by step: repeat with `after` = `next` while it says "more". */
export const verify = memberQuery({
  permission: "audit.read",
  args: { accountId: v.id("accounts"), after: v.optional(chainPlace) },
  returns: chainCheck,
  handler: async (ctx, args) => await checkAudit(ctx, ctx.account._id, args.after),
});

/** The same for the administrator; without an account, the chain of what concerns none. */
export const verifyChain = internalQuery({
  args: { accountId: v.optional(v.id("accounts")), after: v.optional(chainPlace) },
  returns: chainCheck,
  handler: async (ctx, args) => await checkAudit(ctx, args.accountId, args.after),
});
