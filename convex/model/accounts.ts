import type { Infer } from "convex/values";
import { defined } from "#shared/defined";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { numberFactsArg } from "../tables/accounts";
import { type Actor, actorWord } from "./actor";
import { recordAudit } from "./audit";
import { fail } from "./errors";
import { findInstance, giveOwner } from "./instance";
import { requestTemplateSync } from "./templateSync";
import { countUnread } from "./views";

/** Accounts that one person may belong to; far above any real person, so that a list is never unbounded. */
export const MEMBERSHIPS_MAX = 100;

/**
 * Conversations that the unread badge of an account looks at. The list shows the newest first, so a person works
 * through these before any older one; counting further would make the badge cost more than the list itself.
 */
const BADGE_CONVERSATIONS_MAX = 50;

/** The accounts of one person with role and unread count, in the order in which they joined them. */
export async function listAccountsOf(ctx: QueryCtx, userId: string) {
  const memberships = await ctx.db
    .query("accountMembers")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .take(MEMBERSHIPS_MAX);
  const accounts = await Promise.all(memberships.map((membership) => viewAccountFor(ctx, membership)));
  return accounts.filter((account) => account !== null);
}

async function viewAccountFor(ctx: QueryCtx, membership: Doc<"accountMembers">) {
  const account = await ctx.db.get(membership.accountId);
  if (account === null) return null;
  const { _id, name, phoneNumber, phoneNumberId, wabaId } = account;
  const unreadCount = await countAccountUnread(ctx, _id, membership.userId);
  return { _id, name, phoneNumber, phoneNumberId, wabaId, role: membership.role, unreadCount };
}

async function countAccountUnread(ctx: QueryCtx, accountId: Id<"accounts">, userId: string): Promise<number> {
  const newest = await ctx.db
    .query("conversations")
    .withIndex("by_account_archived_activity", (q) => q.eq("accountId", accountId).eq("archived", false))
    .order("desc")
    .take(BADGE_CONVERSATIONS_MAX);
  const counts = await Promise.all(newest.map((conversation) => countUnread(ctx, conversation, userId)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Accounts that the administrator's list shows. */
const ADMIN_LIST_MAX = 500;

export const NAME_CHARACTERS_MAX = 100;
/** Graph ids have 15 to 17 digits; anything up to a 64-bit number is taken. */
const GRAPH_ID_FORM = /^\d{1,20}$/;

export interface NewAccount {
  name: string;
  wabaId: string;
  phoneNumberId: string;
  phoneNumber: string;
}

/** The same values in their stored form. Throws `invalid_request`, naming the field. */
export function checkNewAccount(account: NewAccount): NewAccount {
  const name = account.name.trim();
  if (name === "" || name.length > NAME_CHARACTERS_MAX) fail("invalid_request", { field: "name" });
  if (!GRAPH_ID_FORM.test(account.wabaId)) fail("invalid_request", { field: "wabaId" });
  if (!GRAPH_ID_FORM.test(account.phoneNumberId)) fail("invalid_request", { field: "phoneNumberId" });
  const digits = account.phoneNumber.replace(/[\s().-]/g, "").replace(/^\+/, "");
  if (!/^\d{5,15}$/.test(digits)) fail("invalid_request", { field: "phoneNumber" });
  return { name, wabaId: account.wabaId, phoneNumberId: account.phoneNumberId, phoneNumber: `+${digits}` };
}

/**
 * Stores an account whose ownership was proven and whose secrets are sealed. The person who connects it becomes its
 * owner; for the administrator it is the owner of the deployment, if there is one. Throws `already_exists` when the
 * number is connected already, whoever it belongs to.
 */
export async function insertAccount(
  ctx: MutationCtx,
  actor: Actor,
  account: NewAccount & {
    sealId: string;
    accessTokenSealed: string;
    appSecretSealed?: string;
    tokenExpiresAt?: number;
    dataAccessExpiresAt?: number;
    number?: Infer<typeof numberFactsArg>;
  },
  now: number,
) {
  const taken = await findByPhoneNumberId(ctx, account.phoneNumberId);
  if (taken !== null) fail("already_exists", { field: "phoneNumberId" });
  if (actor.kind === "user") await requireRoom(ctx, actor.userId);
  const { sealId, accessTokenSealed, appSecretSealed, tokenExpiresAt, dataAccessExpiresAt, number } = account;
  const accountId = await ctx.db.insert("accounts", {
    ...checkNewAccount(account),
    state: "active",
    hasOwner: false,
    sealId,
    accessTokenSealed,
    ...defined({ appSecretSealed, tokenExpiresAt, dataAccessExpiresAt }),
    ...(number !== undefined && { number: { ...number, updatedAt: now } }),
  });
  const ownerId = actor.kind === "user" ? actor.userId : (await findInstance(ctx))?.ownerUserId;
  if (ownerId !== undefined) await giveOwner(ctx, accountId, ownerId);
  await recordAudit(ctx, {
    accountId,
    principal: actorWord(actor),
    action: "account.add",
    outcome: "done",
    at: now,
  });
  await requestTemplateSync(ctx, accountId, now);
  const stored = await ctx.db.get(accountId);
  if (stored === null) throw new Error("The account just inserted is not there.");
  return viewForAdmin(stored);
}

/** A person in more accounts than a list shows would not see the new one. */
async function requireRoom(ctx: QueryCtx, userId: string): Promise<void> {
  const memberships = await ctx.db
    .query("accountMembers")
    .withIndex("by_user", (q) => q.eq("userId", userId))
    .take(MEMBERSHIPS_MAX);
  if (memberships.length < MEMBERSHIPS_MAX) return;
  fail("invalid_request", { say: `A person may be in at most ${MEMBERSHIPS_MAX} accounts.` });
}

/** Gives the account another name in the lists of its people. Throws `invalid_request`. */
export async function renameAccount(ctx: MutationCtx, account: Doc<"accounts">, name: string): Promise<void> {
  await ctx.db.patch(account._id, { name: checkNewAccount({ ...account, name }).name });
}

/** The account with this phone number id, or null. The id is unique in the deployment. */
export async function findByPhoneNumberId(
  ctx: QueryCtx,
  phoneNumberId: string,
): Promise<Doc<"accounts"> | null> {
  return await ctx.db
    .query("accounts")
    .withIndex("by_phone_number_id", (q) => q.eq("phoneNumberId", phoneNumberId))
    .unique();
}

/** The account that a person means by a phone number in any spelling or by a phone number id, or null. */
export async function findByNumber(ctx: QueryCtx, text: string): Promise<Doc<"accounts"> | null> {
  const digits = text.replace(/[\s().+-]/g, "");
  if (!/^\d{1,20}$/.test(digits)) return null;
  const byId = await findByPhoneNumberId(ctx, digits);
  if (byId !== null) return byId;
  return await ctx.db
    .query("accounts")
    .withIndex("by_phone_number", (q) => q.eq("phoneNumber", `+${digits}`))
    .first();
}

export async function listAccounts(ctx: QueryCtx) {
  const accounts = await ctx.db.query("accounts").withIndex("by_creation_time").take(ADMIN_LIST_MAX);
  return accounts.map(viewForAdmin);
}

function viewForAdmin(account: Doc<"accounts">) {
  const { _id, name, phoneNumber, phoneNumberId, wabaId, state } = account;
  const { verifiedName, quality } = account.number ?? {};
  return { id: _id, name, phoneNumber, phoneNumberId, wabaId, state, ...defined({ verifiedName, quality }) };
}
