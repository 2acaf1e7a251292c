import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalMutation } from "./functions";
import { removeExpired, removeExpiredOf } from "./model/retention";

/** Cron: removes what is past its time, batch after batch: first what belongs to no account, then account by account. */
export const run = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const more = await removeExpired(ctx, Date.now());
    if (more) await ctx.scheduler.runAfter(0, internal.retention.run, {});
    else await ctx.scheduler.runAfter(0, internal.retention.runAccount, { cursor: null });
    return null;
  },
});

/** The same for the account at the cursor, by its own rules, until nothing is left to remove; then for the next one. */
export const runAccount = internalMutation({
  args: { cursor: v.union(v.string(), v.null()) },
  returns: v.null(),
  handler: async (ctx, { cursor }) => {
    const page = await ctx.db
      .query("accounts")
      .withIndex("by_creation_time")
      .paginate({ cursor, numItems: 1 });
    const [account] = page.page;
    const more = account !== undefined && (await removeExpiredOf(ctx, account._id, Date.now()));
    if (more) await ctx.scheduler.runAfter(0, internal.retention.runAccount, { cursor });
    else if (!page.isDone) {
      await ctx.scheduler.runAfter(0, internal.retention.runAccount, { cursor: page.continueCursor });
    }
    return null;
  },
});
