import { v } from "convex/values";
import { publicMutation } from "./functions";
import { ingestBody } from "./model/ingest";

/**
 * One delivery of Meta's, as raw bytes with its signature header. Anybody may call this: the signature is the
 * credential, and it is checked in this very transaction. Refusals are values, because a throw would store nothing
 * and tell Meta to come again.
 */
export const ingestWebhook = publicMutation({
  args: { body: v.bytes(), signature: v.union(v.string(), v.null()) },
  returns: v.object({
    outcome: v.union(
      v.literal("accepted"),
      v.literal("duplicate"),
      v.literal("unauthorized"),
      v.literal("too_large"),
    ),
  }),
  handler: async (ctx, args) => ({ outcome: await ingestBody(ctx, args, Date.now()) }),
});
