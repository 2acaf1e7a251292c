import { v } from "convex/values";
import { defined } from "#shared/defined";
import { internal } from "./_generated/api";
import { internalAction, internalMutation, internalQuery } from "./functions";
import { expireKey, insertKey, listKeys, mintKey, readKeyUsage, revokeKey } from "./model/apiKeys";
import { keyUsageView } from "./model/rateLimits";

const keyMode = v.union(v.literal("live"), v.literal("test"));

const adminKeyView = v.object({
  id: v.id("apiKeys"),
  name: v.string(),
  /** Enough to recognise the key in a list: `pons_live_…abcd`. */
  prefix: v.string(),
  mode: keyMode,
  scopes: v.array(v.string()),
  accountId: v.id("accounts"),
  numbers: v.array(v.string()),
  rpm: v.optional(v.number()),
  dailyCap: v.optional(v.number()),
  expiresAt: v.optional(v.number()),
  revokedAt: v.optional(v.number()),
  lastUsedAt: v.optional(v.number()),
});

const newKey = {
  accountId: v.id("accounts"),
  name: v.string(),
  scopes: v.array(v.string()),
  /** Business numbers (phone number or phone number id) that the key may use; absent = the account's own. */
  numbers: v.optional(v.array(v.string())),
  rpm: v.optional(v.number()),
  dailyCap: v.optional(v.number()),
  expiresAt: v.optional(v.number()),
};

/** Makes a key and returns it this once. An action, because only actions have true randomness. */
export const create = internalAction({
  args: { ...newKey, mode: v.optional(keyMode) },
  returns: v.object({ ...adminKeyView.fields, key: v.string() }),
  handler: async (ctx, { mode = "live", ...args }): Promise<typeof adminKeyView.type & { key: string }> => {
    const { key, keyHash, pepperId, last4 } = await mintKey(mode);
    const view = await ctx.runMutation(internal.keysAdmin.insert, {
      ...args,
      mode,
      keyHash,
      pepperId,
      last4,
    });
    return { ...view, key };
  },
});

export const insert = internalMutation({
  args: { ...newKey, mode: keyMode, keyHash: v.string(), pepperId: v.string(), last4: v.string() },
  returns: adminKeyView,
  handler: async (ctx, args) => await insertKey(ctx, args, Date.now()),
});

/** Keys of one account, or of all. */
export const list = internalQuery({
  args: { accountId: v.optional(v.id("accounts")) },
  returns: v.array(adminKeyView),
  handler: async (ctx, args) => await listKeys(ctx, defined(args)),
});

/** What the key may still send in this minute and this UTC day. */
export const usage = internalQuery({
  args: { apiKeyId: v.string() },
  returns: keyUsageView,
  handler: async (ctx, args) => await readKeyUsage(ctx, args.apiKeyId),
});

/** Calls with the key are refused from the next transaction on. Revoking twice changes nothing. */
export const revoke = internalMutation({
  args: { apiKeyId: v.string() },
  returns: adminKeyView,
  handler: async (ctx, args) => await revokeKey(ctx, args.apiKeyId, Date.now()),
});

/** Scheduled for the moment a key ends, because a query cannot compare with the clock. */
export const expire = internalMutation({
  args: { apiKeyId: v.id("apiKeys") },
  returns: v.null(),
  handler: async (ctx, args) => {
    await expireKey(ctx, args.apiKeyId, Date.now());
    return null;
  },
});
