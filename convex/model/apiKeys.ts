import { v } from "convex/values";
import { defined } from "#shared/defined";
import { can, mayGrantScope, type Role } from "#shared/domain/roles";
import { isScope, type Scope } from "#shared/scopes";
import { MINUTE_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { confirmAfter, keyDirection } from "../tables/apiKeys";
import { findByNumber } from "./accounts";
import { type Actor, actorWord, requireActor } from "./actor";
import { recordAudit } from "./audit";
import { fail } from "./errors";
import { findMembership } from "./identity";
import { keyMode, viewKey } from "./keyViews";
import { readUsage } from "./rateLimits";

/** Writing the time of last use more often would only make queries of the key run again. */
const TOUCH_INTERVAL_MS = MINUTE_MS;
/** Keys that one list shows. */
const KEYS_LIST_MAX = 500;
/** Working keys of one person; far above any real use, and small enough to end them all in one transaction. */
export const KEYS_PER_PERSON_MAX = 100;
const NAME_CHARACTERS_MAX = 100;
/** Business numbers that one key may use. */
const GRANTED_ACCOUNTS_MAX = 50;
/** Twice the tools that the product has. */
const TOOLS_MAX = 64;
const TOOL_FORM = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
/** What an IPv4 or IPv6 address is written with; 45 is the longest text of one. The Next server has checked it whole. */
const ADDRESS_FORM = /^[0-9a-f:.]{2,45}$/;

/** What may be stored of a freshly minted key. */
export const mintedArg = v.object({ keyHash: v.string(), pepperId: v.string(), last4: v.string() });

/** What somebody asks for who makes a key. */
export const newKeyArgs = {
  accountId: v.id("accounts"),
  name: v.string(),
  scopes: v.array(v.string()),
  /** Business numbers (phone number or phone number id) that the key may use; absent = the account's own. */
  numbers: v.optional(v.array(v.string())),
  /** MCP tools that the key may call; absent = all that its scopes allow. */
  tools: v.optional(v.array(v.string())),
  direction: v.optional(keyDirection),
  /** What has to be read before sends must be confirmed; absent = texts that speak to machines. */
  confirmAfter: v.optional(confirmAfter),
  rpm: v.optional(v.number()),
  dailyCap: v.optional(v.number()),
  expiresAt: v.optional(v.number()),
  mode: v.optional(keyMode),
};
const newKey = v.object(newKeyArgs);
export type NewKey = typeof newKey.type;

/**
 * Stores a key and schedules its expiry. Throws `not_found`, `forbidden` for a scope that the maker does not have, or
 * `invalid_request`, naming the field.
 */
export async function insertKey(
  ctx: MutationCtx,
  actor: Actor,
  key: NewKey,
  minted: typeof mintedArg.type,
  now: number,
) {
  const { account, role } = await requireActor(ctx, actor, key.accountId, "keys.own");
  const scopes = checkNewKey(key, now);
  if (!scopes.every((scope) => mayGrantScope(role, scope))) fail("forbidden", { field: "scopes" });
  if (key.confirmAfter === "nothing" && !can(role, "keys.manage"))
    fail("forbidden", { field: "confirmAfter" });
  if (actor.kind === "user") await checkRoom(ctx, actor.userId);
  const { accountId, mode = "live", expiresAt, tools, direction, rpm, dailyCap } = key;
  const apiKeyId = await ctx.db.insert("apiKeys", {
    name: key.name.trim(),
    accountId,
    grantedAccountIds: await grantedAccounts(ctx, actor, account, { scopes, numbers: key.numbers }),
    scopes,
    mode,
    ...minted,
    ...defined({ expiresAt, sendsPerMinute: rpm, sendsPerDay: dailyCap, direction }),
    ...defined({ confirmAfter: key.confirmAfter }),
    ...(tools !== undefined && { tools: [...new Set(tools)] }),
    ...(actor.kind === "user" && { createdBy: actor.userId }),
  });
  if (expiresAt !== undefined) await ctx.scheduler.runAt(expiresAt, internal.keysAdmin.expire, { apiKeyId });
  await auditKey(ctx, actorWord(actor), await requireKey(ctx, apiKeyId), "key.create", "done", now);
  return await viewKey(ctx, await requireKey(ctx, apiKeyId));
}

/** The scopes without repetition, if everything that was asked for has a valid form. */
function checkNewKey(key: NewKey, now: number): Scope[] {
  checkName(key.name);
  const scopes = key.scopes.filter(isScope);
  if (scopes.length === 0 || scopes.length !== key.scopes.length)
    fail("invalid_request", { field: "scopes" });
  const { tools } = key;
  if (tools !== undefined) {
    const valid =
      tools.length > 0 && tools.length <= TOOLS_MAX && tools.every((tool) => TOOL_FORM.test(tool));
    if (!valid) fail("invalid_request", { field: "tools" });
  }
  for (const field of ["rpm", "dailyCap"] as const) {
    const limit = key[field];
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1))
      fail("invalid_request", { field });
  }
  if (key.expiresAt !== undefined && !(key.expiresAt > now)) fail("invalid_request", { field: "expiresAt" });
  return [...new Set(scopes)];
}

/** The name in its stored form. Throws `invalid_request`. */
export function checkName(text: string): string {
  const name = text.trim();
  if (name === "" || name.length > NAME_CHARACTERS_MAX) fail("invalid_request", { field: "name" });
  return name;
}

async function checkRoom(ctx: QueryCtx, userId: string): Promise<void> {
  if ((await openKeysOf(ctx, userId)).length < KEYS_PER_PERSON_MAX) return;
  fail("invalid_request", {
    say: `Nobody may have more than ${KEYS_PER_PERSON_MAX} keys: revoke one first.`,
  });
}

/** The working keys that a person made, at most `KEYS_PER_PERSON_MAX`. */
export async function openKeysOf(ctx: QueryCtx, userId: string): Promise<Doc<"apiKeys">[]> {
  return await ctx.db
    .query("apiKeys")
    .withIndex("by_creator", (q) => q.eq("createdBy", userId).eq("revokedAt", undefined))
    .take(KEYS_PER_PERSON_MAX);
}

/** The numbers that a key gets: each must be one in which its maker may make keys with these scopes. */
async function grantedAccounts(
  ctx: MutationCtx,
  actor: Actor,
  account: Doc<"accounts">,
  asked: { scopes: readonly Scope[]; numbers: readonly string[] | undefined },
): Promise<Id<"accounts">[]> {
  const { scopes, numbers = [] } = asked;
  if (numbers.length === 0) return [account._id];
  if (numbers.length > GRANTED_ACCOUNTS_MAX) fail("invalid_request", { field: "numbers" });
  const granted = new Set<Id<"accounts">>();
  for (const number of numbers) {
    const found = await findByNumber(ctx, number);
    const role = found === null ? undefined : await roleIn(ctx, actor, found._id);
    const allowed = role !== undefined && scopes.every((scope) => mayGrantScope(role, scope));
    if (found === null || !allowed) fail("not_found", { field: "numbers" });
    granted.add(found._id);
  }
  return [...granted];
}

async function roleIn(ctx: QueryCtx, actor: Actor, accountId: Id<"accounts">): Promise<Role | undefined> {
  if (actor.kind === "admin") return "owner";
  return (await findMembership(ctx, accountId, actor.userId))?.role;
}

/**
 * What the Next server needs to act for a key, or null when there is no such key or it is revoked. A key that was
 * rotated away counts as the same key until its grace is over, which is then its `expiresAt`.
 */
export async function findByHash(ctx: QueryCtx, sought: { keyHash: string; pepperId: string }) {
  const current = await ctx.db
    .query("apiKeys")
    .withIndex("by_key_hash", (q) => q.eq("keyHash", sought.keyHash))
    .unique();
  const key = current ?? (await findByPreviousHash(ctx, sought.keyHash));
  if (key === null || key.revokedAt !== undefined) return null;
  const isCurrent = key === current;
  if ((isCurrent ? key.pepperId : key.previousPepperId) !== sought.pepperId) return null;
  const { _id, accountId, name, mode, scopes, tools, direction } = key;
  const ends = [key.expiresAt, isCurrent ? undefined : key.previousKeyUntil].filter((at) => at !== undefined);
  return {
    apiKeyId: _id,
    accountId,
    name,
    mode,
    scopes,
    numbers: key.grantedAccountIds.length,
    confirmAfter: key.confirmAfter ?? ("flagged" as const),
    ...defined({ tools, direction, expiresAt: ends.length === 0 ? undefined : Math.min(...ends) }),
  };
}

async function findByPreviousHash(ctx: QueryCtx, keyHash: string): Promise<Doc<"apiKeys"> | null> {
  return await ctx.db
    .query("apiKeys")
    .withIndex("by_previous_key_hash", (q) => q.eq("previousKeyHash", keyHash))
    .unique();
}

/** Notes the use of a key, in its row and in the audit log, at most once a minute. */
export async function touchKey(
  ctx: MutationCtx,
  apiKeyId: Id<"apiKeys">,
  address: string | undefined,
  now: number,
): Promise<void> {
  const key = await ctx.db.get(apiKeyId);
  if (key === null || key.revokedAt !== undefined) return;
  if (key.lastUsedAt !== undefined && now - key.lastUsedAt < TOUCH_INTERVAL_MS) return;
  // An unknown address must not leave the one before, as if this use had come from there.
  const lastUsedFrom = address !== undefined && ADDRESS_FORM.test(address) ? address : undefined;
  await ctx.db.patch(key._id, { lastUsedAt: now, lastUsedFrom });
  await auditKey(ctx, `key:${key._id}`, key, "key.use", "done", now);
}

/** Keys of one account that the actor may see (members see their own), or for the administrator of all accounts. */
export async function listKeys(ctx: QueryCtx, actor: Actor, accountId: Id<"accounts"> | undefined) {
  if (accountId === undefined) {
    if (actor.kind !== "admin") fail("not_found");
    return await Promise.all(
      (await ctx.db.query("apiKeys").withIndex("by_creation_time").take(KEYS_LIST_MAX)).map((key) =>
        viewKey(ctx, key),
      ),
    );
  }
  const { role } = await requireActor(ctx, actor, accountId, "keys.own");
  const keys = await ctx.db
    .query("apiKeys")
    .withIndex("by_account", (q) => q.eq("accountId", accountId))
    .order("desc")
    .take(KEYS_LIST_MAX);
  return await Promise.all(keys.filter((key) => isTheirs(actor, role, key)).map((key) => viewKey(ctx, key)));
}

/** What the key has left in this minute and day. Throws `not_found`. */
export async function readKeyUsage(ctx: QueryCtx, actor: Actor, named: NamedKey) {
  return await readUsage(ctx, await requireOwnKey(ctx, actor, named));
}

/** A key as a door names it; with `accountId` only a key of that account is meant. */
export interface NamedKey {
  apiKeyId: string;
  accountId?: string;
}

/**
 * The named key if the actor may manage it: members their own, administrators of the account all of them. What is
 * missing, foreign or another member's gives the same `not_found`.
 */
export async function requireOwnKey(ctx: QueryCtx, actor: Actor, named: NamedKey): Promise<Doc<"apiKeys">> {
  const apiKeyId = ctx.db.normalizeId("apiKeys", named.apiKeyId) ?? fail("not_found");
  const key = await requireKey(ctx, apiKeyId);
  if ((named.accountId ?? key.accountId) !== key.accountId) fail("not_found");
  const role = await roleIn(ctx, actor, key.accountId);
  return role !== undefined && isTheirs(actor, role, key) ? key : fail("not_found");
}

function isTheirs(actor: Actor, role: Role, key: Doc<"apiKeys">): boolean {
  return can(role, "keys.manage") || (actor.kind === "user" && key.createdBy === actor.userId);
}

export async function requireKey(ctx: QueryCtx, apiKeyId: Id<"apiKeys">): Promise<Doc<"apiKeys">> {
  return (await ctx.db.get(apiKeyId)) ?? fail("not_found");
}

/** One line about a key in the audit log. */
export async function auditKey(
  ctx: MutationCtx,
  principal: string,
  key: Doc<"apiKeys">,
  action: string,
  outcome: string,
  now: number,
): Promise<void> {
  await recordAudit(ctx, { accountId: key.accountId, principal, action, outcome, subject: key._id, at: now });
}
