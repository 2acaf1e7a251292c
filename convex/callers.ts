import { v } from "convex/values";
import { serviceMutation, serviceQuery } from "./functions";
import { findByHash, touchKey } from "./model/apiKeys";
import { confirmAfter, keyDirection } from "./tables/apiKeys";

/**
 * The key with this hash, unless it is revoked. The caller compares `expiresAt` with its clock, because a query has
 * none; the functions behind the minted token check again.
 */
export const resolveKey = serviceQuery({
  args: { keyHash: v.string(), pepperId: v.string() },
  returns: v.union(
    v.null(),
    v.object({
      apiKeyId: v.id("apiKeys"),
      accountId: v.id("accounts"),
      name: v.string(),
      mode: v.union(v.literal("live"), v.literal("test")),
      scopes: v.array(v.string()),
      /** How many business numbers it may use. */
      numbers: v.number(),
      /** MCP tools that it may call; absent = all that its scopes allow. */
      tools: v.optional(v.array(v.string())),
      direction: v.optional(keyDirection),
      confirmAfter,
      expiresAt: v.optional(v.number()),
    }),
  ),
  handler: async (ctx, args) => await findByHash(ctx, args),
});

/** Notes that the key was used, and from which address; writes at most once a minute. */
export const touch = serviceMutation({
  args: { apiKeyId: v.id("apiKeys"), address: v.optional(v.string()) },
  returns: v.null(),
  handler: async (ctx, args) => {
    await touchKey(ctx, args.apiKeyId, args.address, Date.now());
    return null;
  },
});
