import { v } from "convex/values";
import { serviceMutation } from "./functions";
import { recordCalls, takeRequests } from "./model/mcpCalls";

const auditedCall = v.object({
  apiKeyId: v.id("apiKeys"),
  /** Name of the tool, or the protocol method where it was none. */
  tool: v.string(),
  /** Keyed digest of the arguments: equal calls look equal, and nobody can read them. */
  argumentHash: v.string(),
  /** Id of what the call was about, where it was one thing. */
  target: v.optional(v.string()),
  /** `ok`, the outcome of a send, the reason of a refusal, or why it failed. */
  outcome: v.string(),
  ms: v.number(),
  at: v.number(),
});

/**
 * Allows the next requests of a key: as many as may be made without asking again, or the time until one more is
 * allowed (ms).
 */
export const take = serviceMutation({
  args: { apiKeyId: v.id("apiKeys") },
  returns: v.object({ granted: v.number(), retryAfterMs: v.number() }),
  handler: async (ctx, { apiKeyId }) => await takeRequests(ctx, apiKeyId),
});

/** Writes the audit lines of calls that were answered. */
export const record = serviceMutation({
  args: { calls: v.array(auditedCall) },
  returns: v.null(),
  handler: async (ctx, { calls }) => {
    await recordCalls(ctx, calls);
    return null;
  },
});
