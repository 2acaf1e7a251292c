import { type Infer, v } from "convex/values";
import { plainBytes, toBase64Url, toHex } from "#shared/bytes";

import { type AccountEvent, nextAccountState } from "#shared/domain/account-state";
import type { Permission } from "#shared/domain/roles";
import { DAY_MS, MINUTE_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { numberFactsArg } from "../tables/accounts";
import { pauseSending, resumeSending, updateNumber } from "./accountEvents";
import { tellAccount } from "./accountNews";
import { type Actor, ADMIN, actorWord, requireActor } from "./actor";
import { recordAudit } from "./audit";
import { requestDeletion } from "./deletion";
import { fail } from "./errors";

/** Meta repeats a delivery for up to 7 days, signed with the secret of the day on which it was made. */
export const SECRET_GRACE_DEFAULT_MS = 7 * DAY_MS;
const SECRET_GRACE_MAX_MS = 30 * DAY_MS;
/** Numbers of one WhatsApp Business account that are looked at; Meta allows 20. */
const NUMBERS_PER_WABA_MAX = 50;
const VERIFY_TOKEN_BYTES = 24;
/** An action ends after ten minutes at the latest; one that has not reported by then is lost. */
const CONNECTING_MS = 11 * MINUTE_MS;

/** What an action needs to speak to Meta for an account. Secrets are sealed; only the action opens them. */
export const accountLink = v.object({
  accountId: v.id("accounts"),
  wabaId: v.string(),
  phoneNumberId: v.string(),
  sealId: v.string(),
  accessTokenSealed: v.string(),
  hasOwnSecret: v.boolean(),
  /** Another number of the same WhatsApp Business account works here, so its subscription must stay. */
  sharesWaba: v.boolean(),
});
export type AccountLink = Infer<typeof accountLink>;

/** The link of an account for an actor who has the permission. Throws `not_found` or `forbidden`. */
export async function openLink(
  ctx: QueryCtx,
  actor: Actor,
  accountId: Id<"accounts">,
  permission: Permission,
): Promise<AccountLink> {
  const { account } = await requireActor(ctx, actor, accountId, permission);
  if (account.state === "deleting") fail("not_found");
  const { wabaId, phoneNumberId, sealId, accessTokenSealed } = account;
  const ofWaba = await ctx.db
    .query("accounts")
    .withIndex("by_waba_id", (q) => q.eq("wabaId", wabaId))
    .take(NUMBERS_PER_WABA_MAX);
  const sharesWaba = ofWaba.some(({ _id, state }) => _id !== accountId && LISTENING.has(state));
  const hasOwnSecret = account.appSecretSealed !== undefined;
  return { accountId, wabaId, phoneNumberId, sealId, accessTokenSealed, hasOwnSecret, sharesWaba };
}

const LISTENING: ReadonlySet<Doc<"accounts">["state"]> = new Set(["active", "connecting"]);

/** Replaces the access token by one that was proven for this number, and lets sends leave that waited for it. */
export async function storeAccessToken(
  ctx: MutationCtx,
  actor: Actor,
  token: {
    accountId: Id<"accounts">;
    accessTokenSealed: string;
    tokenExpiresAt?: number;
    dataAccessExpiresAt?: number;
    number: Infer<typeof numberFactsArg>;
  },
  now: number,
): Promise<void> {
  const { account } = await requireActor(ctx, actor, token.accountId, "account.manage");
  const { accessTokenSealed, tokenExpiresAt, dataAccessExpiresAt } = token;
  await ctx.db.patch(account._id, { accessTokenSealed, tokenExpiresAt, dataAccessExpiresAt });
  await updateNumber(ctx, account, token.number, now);
  await resumeSending(ctx, account._id, now, "token_invalid");
  // What was wrong with the token before must not stand in the checks until the next sweep.
  await ctx.scheduler.runAfter(0, internal.accountHealth.check, { accountId: account._id });
  await auditAccount(ctx, actor, account._id, "account.token", "rotated", now);
}

/**
 * Replaces the app secret. The one before is accepted for `graceMs` more, because Meta's repetitions are still signed
 * with it; where the deployment's own secret was in use, `previousSealed` is that one.
 */
export async function storeAppSecret(
  ctx: MutationCtx,
  actor: Actor,
  secret: { accountId: Id<"accounts">; appSecretSealed: string; previousSealed?: string; graceMs: number },
  now: number,
): Promise<{ previousUntil: number | null }> {
  const { account } = await requireActor(ctx, actor, secret.accountId, "account.manage");
  const { graceMs, appSecretSealed } = secret;
  const valid = Number.isSafeInteger(graceMs) && graceMs >= 0 && graceMs <= SECRET_GRACE_MAX_MS;
  if (!valid) fail("invalid_request", { field: "graceMs" });
  const previous = graceMs === 0 ? undefined : (account.appSecretSealed ?? secret.previousSealed);
  const previousUntil = previous === undefined ? undefined : now + graceMs;
  await ctx.db.patch(account._id, {
    appSecretSealed,
    previousAppSecretSealed: previous,
    previousAppSecretUntil: previousUntil,
  });
  await auditAccount(ctx, actor, account._id, "account.app_secret", "rotated", now);
  return { previousUntil: previousUntil ?? null };
}

/** A verify token from true randomness. Only for actions. */
export async function mintVerifyToken(): Promise<{ token: string; hash: string }> {
  const token = toBase64Url(crypto.getRandomValues(new Uint8Array(VERIFY_TOKEN_BYTES)));
  return { token, hash: await digestOf(token) };
}

/** Stores the digest of the account's own verify token. Handshakes are rare and asked for, so the old one ends. */
export async function storeVerifyToken(
  ctx: MutationCtx,
  actor: Actor,
  token: { accountId: Id<"accounts">; hash: string },
  now: number,
): Promise<void> {
  const { account } = await requireActor(ctx, actor, token.accountId, "account.manage");
  await ctx.db.patch(account._id, { verifyTokenHash: token.hash });
  await auditAccount(ctx, actor, account._id, "account.verify_token", "rotated", now);
}

/** Whether some account gave this verify token to Meta. Digests are compared by the index, so time tells nothing. */
export async function isAccountVerifyToken(ctx: QueryCtx, token: string): Promise<boolean> {
  if (token === "") return false;
  const hash = await digestOf(token);
  const account = await ctx.db
    .query("accounts")
    .withIndex("by_verify_token_hash", (q) => q.eq("verifyTokenHash", hash))
    .first();
  return account !== null && account.state !== "deleting";
}

async function digestOf(token: string): Promise<string> {
  return toHex(await crypto.subtle.digest("SHA-256", plainBytes(token)));
}

/**
 * Moves the account along its life. Doing it again changes nothing. Throws `conflict` for a step that its state does
 * not have, such as reattaching one that is being deleted.
 */
export async function changeAccountState(
  ctx: MutationCtx,
  actor: Actor,
  change: { accountId: Id<"accounts">; event: AccountEvent; permission: Permission },
  now: number,
): Promise<Doc<"accounts">["state"]> {
  const { account } = await requireActor(ctx, actor, change.accountId, change.permission);
  const state = nextAccountState(account.state, change.event);
  if (state === null) {
    if (IS_DONE[change.event] === account.state) return account.state;
    fail("conflict", { state: account.state, say: `An account that is ${account.state} cannot do that.` });
  }
  if (change.event === "delete") {
    await requestDeletion(ctx, { accountId: account._id, requestedBy: actorWord(actor) }, now);
  }
  await ctx.db.patch(account._id, { state });
  const key = `${change.event}:${now}`;
  await tellAccount(ctx, account._id, { change: "state", key, at: now, source: "pons" });
  await auditAccount(ctx, actor, account._id, `account.${change.event}`, state, now);
  if (state === "connecting") {
    const attempt = { accountId: account._id, since: now };
    await ctx.db.patch(account._id, { connectingSince: now });
    await ctx.scheduler.runAfter(CONNECTING_MS, internal.accountLink.giveUpConnecting, attempt);
  }
  return state;
}

/**
 * Ends a connection whose action was lost on the way, so that no account connects for ever. One that has become
 * something else since, or began anew, is left alone.
 */
export async function giveUpConnecting(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  since: number,
  now: number,
): Promise<void> {
  const account = await ctx.db.get(accountId);
  if (account?.state !== "connecting" || account.connectingSince !== since) return;
  await changeAccountState(ctx, ADMIN, { accountId, event: "detach", permission: "account.manage" }, now);
}

/** The state in which an event has nothing left to do. */
const IS_DONE: Readonly<Partial<Record<AccountEvent, Doc<"accounts">["state"]>>> = {
  ready: "active",
  detach: "detached",
  reattach: "connecting",
  disable: "disabled",
  delete: "deleting",
};

/** Stops or resumes sending because a person says so. */
export async function setSending(
  ctx: MutationCtx,
  actor: Actor,
  change: { accountId: Id<"accounts">; state: "active" | "paused" },
  now: number,
): Promise<void> {
  await requireActor(ctx, actor, change.accountId, "account.manage");
  if (change.state === "paused") await pauseSending(ctx, change.accountId, "person", now);
  else await resumeSending(ctx, change.accountId, now);
  await auditAccount(ctx, actor, change.accountId, "account.sending", change.state, now);
}

async function auditAccount(
  ctx: MutationCtx,
  actor: Actor,
  accountId: Id<"accounts">,
  action: string,
  outcome: string,
  now: number,
): Promise<void> {
  const principal = actorWord(actor);
  await recordAudit(ctx, { accountId, principal, action, outcome, subject: accountId, at: now });
}
