import { v } from "convex/values";
import { memberMutation, memberQuery } from "./functions";
import { itemOutcome } from "./model/itemOutcome";
import { deadItemView, listDead, reapplyById } from "./model/webhookItems";

/** What WhatsApp delivered for this number and could not be applied, newest first, with the reason. */
export const listDeadItems = memberQuery({
  permission: "account.manage",
  args: { accountId: v.id("accounts"), limit: v.optional(v.number()) },
  returns: v.array(deadItemView),
  handler: async (ctx, args) => await listDead(ctx, ctx.account._id, args.limit),
});

/** Applies a parked item again, after what stood in its way was mended. */
export const reapply = memberMutation({
  permission: "account.manage",
  args: { accountId: v.id("accounts"), itemId: v.id("webhookItems") },
  returns: v.object({ state: itemOutcome.fields.state }),
  handler: async (ctx, args) => ({
    state: await reapplyById(ctx, ctx.account._id, args.itemId, Date.now()),
  }),
});
