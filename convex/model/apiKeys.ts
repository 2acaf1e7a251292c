import { toBase64Url } from "#shared/bytes";
import { defined } from "#shared/defined";
import { API_KEY_RANDOM_BYTES, type ApiKeyMode, mintApiKey } from "#shared/ids";
import { isScope } from "#shared/scopes";
import { hmacSha256 } from "#shared/signature";
import { MINUTE_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { findByNumber } from "./accounts";
import { recordAudit } from "./audit";
import { requireSetting } from "./env";
import { fail } from "./errors";
import { readUsage } from "./rateLimits";

/** Writing the time of last use more often would only make queries of the key run again. */
const TOUCH_INTERVAL_MS = MINUTE_MS;
/** Keys shown in the administrator's list. */
const KEYS_LIST_MAX = 500;
const NAME_CHARACTERS_MAX = 100;
/** Business numbers that one key may use. */
const GRANTED_ACCOUNTS_MAX = 50;

export interface NewKey {
  accountId: Id<"accounts">;
  name: string;
  scopes: string[];
  numbers?: string[];
  rpm?: number;
  dailyCap?: number;
  expiresAt?: number;
  mode: ApiKeyMode;
  keyHash: string;
  pepperId: string;
  last4: string;
}

/** A new key from true randomness, with all that may be stored of it. Only for actions. */
export async function mintKey(mode: ApiKeyMode) {
  const { text, last4 } = mintApiKey(mode, crypto.getRandomValues(new Uint8Array(API_KEY_RANDOM_BYTES)));
  const pepper = currentPepper();
  return {
    key: text,
    last4,
    pepperId: pepper.id,
    keyHash: toBase64Url(await hmacSha256(pepper.value, text)),
  };
}

/** The first entry of API_KEY_PEPPER (`kid:value[,older]`), under which new keys are stored. */
function currentPepper(): { id: string; value: string } {
  const [first = ""] = requireSetting("API_KEY_PEPPER").split(",");
  const colon = first.indexOf(":");
  const id = first.slice(0, colon).trim();
  const value = first.slice(colon + 1).trim();
  if (colon < 1 || id === "" || value === "") {
    fail("misconfigured", { setting: "API_KEY_PEPPER", say: "API_KEY_PEPPER must be written as kid:value." });
  }
  return { id, value };
}

/** Stores a key and schedules its expiry. Throws `not_found` or `invalid_request`, naming the field. */
export async function insertKey(ctx: MutationCtx, key: NewKey, now: number) {
  const account = await ctx.db.get(key.accountId);
  if (account === null) fail("not_found");
  checkNewKey(key, now);
  const { accountId, mode, keyHash, pepperId, last4, expiresAt } = key;
  const apiKeyId = await ctx.db.insert("apiKeys", {
    name: key.name.trim(),
    accountId,
    grantedAccountIds: await grantedAccounts(ctx, account, key.numbers),
    scopes: [...new Set(key.scopes)],
    mode,
    keyHash,
    pepperId,
    last4,
    ...defined({ expiresAt, sendsPerMinute: key.rpm, sendsPerDay: key.dailyCap }),
  });
  if (expiresAt !== undefined) {
    await ctx.scheduler.runAt(expiresAt, internal.keysAdmin.expire, { apiKeyId });
  }
  await recordAudit(ctx, {
    accountId,
    principal: "admin",
    action: "key.create",
    outcome: "done",
    subject: apiKeyId,
    at: now,
  });
  return await viewKey(ctx, await requireKey(ctx, apiKeyId));
}

function checkNewKey(key: NewKey, now: number): void {
  const name = key.name.trim();
  if (name === "" || name.length > NAME_CHARACTERS_MAX) fail("invalid_request", { field: "name" });
  if (key.scopes.length === 0 || !key.scopes.every(isScope)) fail("invalid_request", { field: "scopes" });
  for (const field of ["rpm", "dailyCap"] as const) {
    const limit = key[field];
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 1))
      fail("invalid_request", { field });
  }
  if (key.expiresAt !== undefined && !(key.expiresAt > now)) fail("invalid_request", { field: "expiresAt" });
}

async function grantedAccounts(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  numbers: readonly string[] | undefined,
): Promise<Id<"accounts">[]> {
  if (numbers === undefined || numbers.length === 0) return [account._id];
  if (numbers.length > GRANTED_ACCOUNTS_MAX) fail("invalid_request", { field: "numbers" });
  const granted = new Set<Id<"accounts">>();
  for (const number of numbers) {
    const found = await findByNumber(ctx, number);
    if (found === null) fail("not_found", { field: "numbers" });
    granted.add(found._id);
  }
  return [...granted];
}

/** What the Next server needs to act for a key, or null when there is no such key or it is revoked. */
export async function findByHash(ctx: QueryCtx, sought: { keyHash: string; pepperId: string }) {
  const key = await ctx.db
    .query("apiKeys")
    .withIndex("by_key_hash", (q) => q.eq("keyHash", sought.keyHash))
    .unique();
  if (key === null || key.pepperId !== sought.pepperId || key.revokedAt !== undefined) return null;
  const { _id, accountId, name, mode, scopes, expiresAt } = key;
  const numbers = key.grantedAccountIds.length;
  return { apiKeyId: _id, accountId, name, mode, scopes, numbers, ...defined({ expiresAt }) };
}

/** Notes the use of a key, in its row and in the audit log, at most once a minute. */
export async function touchKey(ctx: MutationCtx, apiKeyId: Id<"apiKeys">, now: number): Promise<void> {
  const key = await ctx.db.get(apiKeyId);
  if (key === null || key.revokedAt !== undefined) return;
  if (key.lastUsedAt !== undefined && now - key.lastUsedAt < TOUCH_INTERVAL_MS) return;
  await ctx.db.patch(key._id, { lastUsedAt: now });
  await recordAudit(ctx, {
    accountId: key.accountId,
    principal: `key:${key._id}`,
    action: "key.use",
    outcome: "done",
    subject: key._id,
    at: now,
  });
}

/** Revokes the key with this id. Throws `not_found`. */
export async function revokeKey(ctx: MutationCtx, id: string, now: number) {
  const apiKeyId = ctx.db.normalizeId("apiKeys", id);
  if (apiKeyId === null) fail("not_found");
  await endKey(ctx, await requireKey(ctx, apiKeyId), "revoked", now);
  return await viewKey(ctx, await requireKey(ctx, apiKeyId));
}

/** Ends a key whose time has come. A key that is gone or revoked already is left alone. */
export async function expireKey(ctx: MutationCtx, apiKeyId: Id<"apiKeys">, now: number): Promise<void> {
  const key = await ctx.db.get(apiKeyId);
  if (key !== null && key.expiresAt !== undefined && key.expiresAt <= now)
    await endKey(ctx, key, "expired", now);
}

async function endKey(ctx: MutationCtx, key: Doc<"apiKeys">, reason: "revoked" | "expired", now: number) {
  if (key.revokedAt !== undefined) return;
  await ctx.db.patch(key._id, { revokedAt: now, revokedReason: reason });
  await recordAudit(ctx, {
    accountId: key.accountId,
    principal: reason === "revoked" ? "admin" : "system",
    action: "key.end",
    outcome: reason,
    subject: key._id,
    at: now,
  });
}

/** Keys of one account, or of the whole deployment. */
export async function listKeys(ctx: QueryCtx, { accountId }: { accountId?: Id<"accounts"> }) {
  const keys =
    accountId === undefined
      ? await ctx.db.query("apiKeys").withIndex("by_creation_time").take(KEYS_LIST_MAX)
      : await ctx.db
          .query("apiKeys")
          .withIndex("by_account", (q) => q.eq("accountId", accountId))
          .take(KEYS_LIST_MAX);
  return await Promise.all(keys.map((key) => viewKey(ctx, key)));
}

/** What the key with this id has left. Throws `not_found`. */
export async function readKeyUsage(ctx: QueryCtx, id: string) {
  const apiKeyId = ctx.db.normalizeId("apiKeys", id);
  return await readUsage(ctx, apiKeyId === null ? fail("not_found") : await requireKey(ctx, apiKeyId));
}

async function requireKey(ctx: QueryCtx, apiKeyId: Id<"apiKeys">): Promise<Doc<"apiKeys">> {
  return (await ctx.db.get(apiKeyId)) ?? fail("not_found");
}

async function viewKey(ctx: QueryCtx, key: Doc<"apiKeys">) {
  const accounts = await Promise.all(key.grantedAccountIds.map((accountId) => ctx.db.get(accountId)));
  const { _id, name, mode, scopes, accountId, expiresAt, revokedAt, lastUsedAt } = key;
  return {
    id: _id,
    name,
    prefix: `pons_${mode}_…${key.last4}`,
    mode,
    scopes,
    accountId,
    numbers: accounts.flatMap((account) => (account === null ? [] : [account.phoneNumber])),
    ...defined({ rpm: key.sendsPerMinute, dailyCap: key.sendsPerDay, expiresAt, revokedAt, lastUsedAt }),
  };
}
