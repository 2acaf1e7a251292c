import { v } from "convex/values";
import { internal } from "./_generated/api";
import { memberAction, memberMutation, memberQuery } from "./functions";
import { userActor } from "./model/actor";
import { listKeys, newKeyArgs, readKeyUsage } from "./model/apiKeys";
import { ROTATION_GRACE_DEFAULT_MS, renameKey, revokeKey, setConfirmAfter } from "./model/keyChanges";
import { mintKey } from "./model/keyMint";
import { keyView } from "./model/keyViews";
import { keyUsageView } from "./model/rateLimits";
import { confirmAfter } from "./tables/apiKeys";

const shownOnce = v.object({ ...keyView.fields, key: v.string() });
type ShownOnce = typeof shownOnce.type;

const namedKey = { accountId: v.id("accounts"), apiKeyId: v.id("apiKeys") };

/** Keys of the account, the newest first: a member sees their own, its administrators see all. */
export const list = memberQuery({
  permission: "keys.own",
  args: { accountId: v.id("accounts") },
  returns: v.array(keyView),
  handler: async (ctx, args) => await listKeys(ctx, userActor(ctx.userId), args.accountId),
});

/** Makes a key and returns it this once. */
export const create = memberAction({
  permission: "keys.own",
  args: newKeyArgs,
  returns: shownOnce,
  handler: async (ctx, args): Promise<ShownOnce> => {
    const { key, minted } = await mintKey(args.mode ?? "live");
    const view = await ctx.runMutation(internal.keysAdmin.insert, {
      actor: userActor(ctx.userId),
      ...args,
      minted,
    });
    return { ...view, key };
  },
});

export const rename = memberMutation({
  permission: "keys.own",
  args: { ...namedKey, name: v.string() },
  returns: keyView,
  handler: async (ctx, { name, ...named }) =>
    await renameKey(ctx, userActor(ctx.userId), named, name, Date.now()),
});

/** What has to be read before the first send to somebody else must be confirmed by a person. */
export const setConfirmation = memberMutation({
  permission: "keys.manage",
  args: { ...namedKey, confirmAfter },
  returns: keyView,
  handler: async (ctx, { confirmAfter: after, ...named }) =>
    await setConfirmAfter(ctx, userActor(ctx.userId), named, after, Date.now()),
});

/** Calls with the key are refused from the next transaction on. */
export const revoke = memberMutation({
  permission: "keys.own",
  args: namedKey,
  returns: keyView,
  handler: async (ctx, args) => await revokeKey(ctx, userActor(ctx.userId), args, Date.now()),
});

/** A new secret for the key, shown this once; the old one works for `graceMs` more, a day unless given. */
export const rotate = memberAction({
  permission: "keys.own",
  args: { ...namedKey, graceMs: v.optional(v.number()) },
  returns: shownOnce,
  handler: async (ctx, { graceMs = ROTATION_GRACE_DEFAULT_MS, ...key }): Promise<ShownOnce> => {
    const named = { actor: userActor(ctx.userId), ...key };
    const { key: text, minted } = await mintKey(await ctx.runQuery(internal.keysAdmin.modeOf, named));
    const view = await ctx.runMutation(internal.keysAdmin.storeRotation, { ...named, minted, graceMs });
    return { ...view, key: text };
  },
});

/** What the key may still send in this minute and this UTC day. */
export const usage = memberQuery({
  permission: "keys.own",
  args: namedKey,
  returns: keyUsageView,
  handler: async (ctx, args) => await readKeyUsage(ctx, userActor(ctx.userId), args),
});
