import { v } from "convex/values";
import { internal } from "./_generated/api";
import { internalMutation, internalQuery } from "./functions";
import { applyItemText, applyStoredBatch, ingestBody, ingestOutcome, reapplyOutdated } from "./model/ingest";
import { itemOutcome } from "./model/itemOutcome";
import { deadItemView, listDead, reapplyById } from "./model/webhookItems";
import { itemScope } from "./model/webhookScope";

/** As the public `webhook.ingestWebhook`, for the backend's own HTTP route. */
export const receive = internalMutation({
  args: { body: v.bytes(), signature: v.union(v.string(), v.null()) },
  returns: ingestOutcome,
  handler: async (ctx, args) => await ingestBody(ctx, args, Date.now()),
});

/** One item of a body as a subtransaction of the ingest, so that a poison item rolls back alone. */
export const applyItem = internalMutation({
  args: { scope: itemScope, item: v.string(), now: v.number() },
  returns: itemOutcome,
  handler: async (ctx, args) => await applyItemText(ctx, args),
});

/** The next items of a body that was too large to apply before the sender got its answer. */
export const applyBatch = internalMutation({
  args: { logId: v.id("webhookLogs") },
  returns: v.null(),
  handler: async (ctx, args) => {
    await applyStoredBatch(ctx, args.logId, Date.now());
    return null;
  },
});

/** Cron: reads again what an older reader could not apply; once per body and version of the reader. */
export const reapply = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    if (await reapplyOutdated(ctx)) await ctx.scheduler.runAfter(0, internal.ingest.reapply, {});
    return null;
  },
});

/** For the administrator: items that were verified and not applied, of all accounts and of none, newest first. */
export const listDeadItems = internalQuery({
  args: { limit: v.optional(v.number()) },
  returns: v.array(deadItemView),
  handler: async (ctx, args) => await listDead(ctx, null, args.limit),
});

/** For the administrator: applies a parked item again, whoever's it is. */
export const reapplyItem = internalMutation({
  args: { itemId: v.id("webhookItems") },
  returns: v.object({ state: itemOutcome.fields.state }),
  handler: async (ctx, args) => ({ state: await reapplyById(ctx, null, args.itemId, Date.now()) }),
});
