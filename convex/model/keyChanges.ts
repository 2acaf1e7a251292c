import { DAY_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { type Actor, actorWord, requireActor } from "./actor";
import {
  auditKey,
  checkName,
  type mintedArg,
  type NamedKey,
  openKeysOf,
  requireKey,
  requireOwnKey,
} from "./apiKeys";
import { fail } from "./errors";
import { viewKey } from "./keyViews";

/** How long the old key works beside the new one unless somebody says otherwise: a working day on every continent. */
export const ROTATION_GRACE_DEFAULT_MS = DAY_MS;
/** Two keys that open the same door are meant for a change-over, not for ever. */
const ROTATION_GRACE_MAX_MS = 30 * DAY_MS;

/** Gives the key another name. Throws `not_found` or `invalid_request`. */
export async function renameKey(ctx: MutationCtx, actor: Actor, named: NamedKey, name: string, now: number) {
  const key = await requireOwnKey(ctx, actor, named);
  await ctx.db.patch(key._id, { name: checkName(name) });
  await auditKey(ctx, actorWord(actor), key, "key.rename", "done", now);
  return await viewKey(ctx, await requireKey(ctx, key._id));
}

/**
 * Changes what has to be read before sends of the key must be confirmed; from the next send on. Throws `not_found`, or
 * `forbidden` for a member who may not manage keys: the rule guards against what happens behind their back.
 */
export async function setConfirmAfter(
  ctx: MutationCtx,
  actor: Actor,
  named: NamedKey,
  confirmAfter: NonNullable<Doc<"apiKeys">["confirmAfter"]>,
  now: number,
) {
  const key = await requireOwnKey(ctx, actor, named);
  await requireActor(ctx, actor, key.accountId, "keys.manage");
  await ctx.db.patch(key._id, { confirmAfter });
  await auditKey(ctx, actorWord(actor), key, "key.confirm_after", confirmAfter, now);
  return await viewKey(ctx, await requireKey(ctx, key._id));
}

/** Ends the key from the next transaction on. Doing it again changes nothing. Throws `not_found`. */
export async function revokeKey(ctx: MutationCtx, actor: Actor, named: NamedKey, now: number) {
  const key = await requireOwnKey(ctx, actor, named);
  await endKey(ctx, key, "revoked", actorWord(actor), now);
  return await viewKey(ctx, await requireKey(ctx, key._id));
}

/**
 * Replaces the secret of a key; name, grants, limits, counters and history stay. The old secret works for `graceMs`
 * more (0 = not at all); one that was still in its grace ends now. Throws `not_found`, also for a key that has ended.
 */
export async function rotateKey(
  ctx: MutationCtx,
  actor: Actor,
  named: NamedKey,
  rotation: { minted: typeof mintedArg.type; graceMs: number },
  now: number,
) {
  const { minted, graceMs } = rotation;
  const valid = Number.isSafeInteger(graceMs) && graceMs >= 0 && graceMs <= ROTATION_GRACE_MAX_MS;
  if (!valid) fail("invalid_request", { field: "graceMs" });
  const key = await requireOwnKey(ctx, actor, named);
  if (key.revokedAt !== undefined) fail("not_found");
  const until = now + graceMs;
  await ctx.db.patch(key._id, {
    ...minted,
    rotatedAt: now,
    previousKeyHash: graceMs === 0 ? undefined : key.keyHash,
    previousPepperId: graceMs === 0 ? undefined : key.pepperId,
    previousKeyUntil: graceMs === 0 ? undefined : until,
  });
  if (graceMs > 0) await ctx.scheduler.runAt(until, internal.keysAdmin.endGrace, { apiKeyId: key._id });
  await auditKey(ctx, actorWord(actor), key, "key.rotate", "done", now);
  return await viewKey(ctx, await requireKey(ctx, key._id));
}

/** Forgets the secret before the last rotation, if its grace is over. */
export async function endGrace(ctx: MutationCtx, apiKeyId: Id<"apiKeys">, now: number): Promise<void> {
  const key = await ctx.db.get(apiKeyId);
  if (key?.previousKeyUntil === undefined || key.previousKeyUntil > now) return;
  await ctx.db.patch(apiKeyId, {
    previousKeyHash: undefined,
    previousPepperId: undefined,
    previousKeyUntil: undefined,
  });
}

/** Ends a key whose time has come. A key that is gone or revoked already is left alone. */
export async function expireKey(ctx: MutationCtx, apiKeyId: Id<"apiKeys">, now: number): Promise<void> {
  const key = await ctx.db.get(apiKeyId);
  if (key?.expiresAt !== undefined && key.expiresAt <= now) await endKey(ctx, key, "expired", "system", now);
}

/**
 * Takes an account away from every key that a person made: keys of that account end, keys of others that may use its
 * number lose it. Called in the transaction that removes the person, so that no call slips through in between.
 */
export async function endKeysOfMember(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  userId: string,
  now: number,
): Promise<void> {
  for (const key of await openKeysOf(ctx, userId)) {
    if (key.accountId === accountId) {
      await endKey(ctx, key, "member_removed", "system", now);
    } else if (key.grantedAccountIds.includes(accountId)) {
      const grantedAccountIds = key.grantedAccountIds.filter((granted) => granted !== accountId);
      await ctx.db.patch(key._id, { grantedAccountIds });
      await auditKey(ctx, "system", key, "key.narrow", "member_removed", now);
    }
  }
}

async function endKey(
  ctx: MutationCtx,
  key: Doc<"apiKeys">,
  reason: NonNullable<Doc<"apiKeys">["revokedReason"]>,
  principal: string,
  now: number,
): Promise<void> {
  if (key.revokedAt !== undefined) return;
  await ctx.db.patch(key._id, { revokedAt: now, revokedReason: reason });
  await auditKey(ctx, principal, key, "key.end", reason, now);
}
