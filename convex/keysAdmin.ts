import { v } from "convex/values";
import { defined } from "#shared/defined";
import { internal } from "./_generated/api";
import { internalAction, internalMutation, internalQuery } from "./functions";
import { ADMIN, actorArg } from "./model/actor";
import { insertKey, listKeys, mintedArg, newKeyArgs, readKeyUsage, requireOwnKey } from "./model/apiKeys";
import {
  endGrace as endGraceOf,
  expireKey,
  ROTATION_GRACE_DEFAULT_MS,
  revokeKey,
  rotateKey,
  setConfirmAfter,
} from "./model/keyChanges";
import { mintKey } from "./model/keyMint";
import { keyMode, keyView } from "./model/keyViews";
import { keyUsageView } from "./model/rateLimits";
import { confirmAfter } from "./tables/apiKeys";

const shownOnce = v.object({ ...keyView.fields, key: v.string() });
type ShownOnce = typeof shownOnce.type;

const namedKeyArgs = { actor: actorArg, apiKeyId: v.string(), accountId: v.optional(v.id("accounts")) };

/** Makes a key and returns it this once. An action, because only actions have true randomness. */
export const create = internalAction({
  args: newKeyArgs,
  returns: shownOnce,
  handler: async (ctx, args): Promise<ShownOnce> => {
    const { key, minted } = await mintKey(args.mode ?? "live");
    return { ...(await ctx.runMutation(internal.keysAdmin.insert, { actor: ADMIN, ...args, minted })), key };
  },
});

export const insert = internalMutation({
  args: { actor: actorArg, ...newKeyArgs, minted: mintedArg },
  returns: keyView,
  handler: async (ctx, { actor, minted, ...key }) => await insertKey(ctx, actor, key, minted, Date.now()),
});

/** Keys of one account, or of all. */
export const list = internalQuery({
  args: { accountId: v.optional(v.id("accounts")) },
  returns: v.array(keyView),
  handler: async (ctx, args) => await listKeys(ctx, ADMIN, args.accountId),
});

/** What the key may still send in this minute and this UTC day. */
export const usage = internalQuery({
  args: { apiKeyId: v.string() },
  returns: keyUsageView,
  handler: async (ctx, args) => await readKeyUsage(ctx, ADMIN, args),
});

/** What has to be read before the first send to somebody else must be confirmed by a person. */
export const setConfirmation = internalMutation({
  args: { apiKeyId: v.string(), confirmAfter },
  returns: keyView,
  handler: async (ctx, { apiKeyId, confirmAfter: after }) =>
    await setConfirmAfter(ctx, ADMIN, { apiKeyId }, after, Date.now()),
});

/** Calls with the key are refused from the next transaction on. Revoking twice changes nothing. */
export const revoke = internalMutation({
  args: { apiKeyId: v.string() },
  returns: keyView,
  handler: async (ctx, args) => await revokeKey(ctx, ADMIN, args, Date.now()),
});

/** A new secret for a key, shown this once; the old one works for `graceMs` more, a day unless given. */
export const rotate = internalAction({
  args: { apiKeyId: v.string(), graceMs: v.optional(v.number()) },
  returns: shownOnce,
  handler: async (ctx, { apiKeyId, graceMs = ROTATION_GRACE_DEFAULT_MS }): Promise<ShownOnce> => {
    const named = { actor: ADMIN, apiKeyId };
    const { key, minted } = await mintKey(await ctx.runQuery(internal.keysAdmin.modeOf, named));
    return {
      ...(await ctx.runMutation(internal.keysAdmin.storeRotation, { ...named, minted, graceMs })),
      key,
    };
  },
});

/** Whether the key is one for tests; a rotated key is of the same kind. */
export const modeOf = internalQuery({
  args: namedKeyArgs,
  returns: keyMode,
  handler: async (ctx, { actor, ...named }) => (await requireOwnKey(ctx, actor, defined(named))).mode,
});

export const storeRotation = internalMutation({
  args: { ...namedKeyArgs, minted: mintedArg, graceMs: v.number() },
  returns: keyView,
  handler: async (ctx, { actor, minted, graceMs, ...named }) =>
    await rotateKey(ctx, actor, defined(named), { minted, graceMs }, Date.now()),
});

/** Scheduled for the moment at which the secret before a rotation ends. */
export const endGrace = internalMutation({
  args: { apiKeyId: v.id("apiKeys") },
  returns: v.null(),
  handler: async (ctx, args) => {
    await endGraceOf(ctx, args.apiKeyId, Date.now());
    return null;
  },
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
