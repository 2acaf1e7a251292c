import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalMutation } from "./functions";
import { removeExpired } from "./model/retention";

/** Cron: removes what is past its time, batch after batch. */
export const run = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    if (await removeExpired(ctx, Date.now())) await ctx.scheduler.runAfter(0, internal.retention.run, {});
    return null;
  },
});
