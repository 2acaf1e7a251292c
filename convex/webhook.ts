import { v } from "convex/values";
import { publicMutation, serviceQuery } from "./functions";
import { isAccountVerifyToken } from "./model/accountLink";
import { ingestBody, ingestOutcome } from "./model/ingest";

/**
 * One delivery of Meta's, as raw bytes with its signature header. Anybody may call this: the signature is the
 * credential, and it is checked in this very transaction. Refusals are values, because a throw would store nothing
 * and tell Meta to come again.
 */
export const ingestWebhook = publicMutation({
  args: { body: v.bytes(), signature: v.union(v.string(), v.null()) },
  returns: v.object({ outcome: ingestOutcome }),
  handler: async (ctx, args) => ({ outcome: await ingestBody(ctx, args, Date.now()) }),
});

/** Whether a handshake brings the verify token of some account; the Next server knows the deployment's own. */
export const isVerifyToken = serviceQuery({
  args: { token: v.string() },
  returns: v.boolean(),
  handler: async (ctx, args) => await isAccountVerifyToken(ctx, args.token),
});
