import { v } from "convex/values";
import { internalMutation } from "./functions";
import { applyItemText, applyStoredBatch, ingestBody, ingestOutcome } from "./model/ingest";
import { itemScope } from "./model/webhookScope";

const itemOutcome = v.object({
  state: v.union(v.literal("processed"), v.literal("duplicate"), v.literal("kept"), v.literal("dead")),
  reason: v.optional(v.string()),
});

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
