import { v } from "convex/values";
import { internalMutation } from "./functions";
import { endRestrictions as endRestrictionsOf } from "./model/accountEvents";

/** Scheduled for the end of each restriction that Meta has put on an account. */
export const endRestrictions = internalMutation({
  args: { accountId: v.id("accounts") },
  returns: v.null(),
  handler: async (ctx, args) => {
    await endRestrictionsOf(ctx, args.accountId, Date.now());
    return null;
  },
});
