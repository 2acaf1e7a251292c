import { v } from "convex/values";
import { memberMutation, memberQuery } from "./functions";
import { dismissDuplicate, duplicateView, listDuplicates, requireDuplicate } from "./model/contactDuplicates";
import { acceptDuplicate } from "./model/contactMerge";

const pair = { accountId: v.id("accounts"), duplicateId: v.id("contactDuplicates") };

/** Pairs of contacts that may be one person and that nobody has decided about, newest first. */
export const list = memberQuery({
  permission: "inbox.read",
  args: { accountId: v.id("accounts") },
  returns: v.array(duplicateView),
  handler: async (ctx) => await listDuplicates(ctx, ctx.account._id),
});

/** The two are different people; the pair is not suggested again. */
export const dismiss = memberMutation({
  permission: "inbox.write",
  args: pair,
  returns: v.null(),
  handler: async (ctx, args) => {
    const row = await requireDuplicate(ctx, ctx.account._id, args.duplicateId);
    await dismissDuplicate(ctx, row, ctx.userId, Date.now());
    return null;
  },
});

/** The two are one person: the other's names and conversation become the kept one's. There is no way back. */
export const accept = memberMutation({
  permission: "inbox.write",
  args: { ...pair, keep: v.union(v.literal("first"), v.literal("second")) },
  returns: v.id("jobs"),
  handler: async (ctx, args) =>
    await acceptDuplicate(ctx, ctx.account._id, { ...args, userId: ctx.userId }, Date.now()),
});
