import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";

export type IdentityKind = Doc<"contactIdentities">["kind"];

/** Owners that one number or id has had; numbers are given anew after months, so a few at most. */
const OWNERS_MAX = 32;

/** Numbers and ids of one kind that one contact has had at the same time: spellings of one number. */
const IDENTITIES_PER_KIND_MAX = 32;

/**
 * The contact that has an identity, or had it at the time `at` (ms, Meta's clock). Without a time only who has it now.
 * Throws when two have it, which the rules of this file make impossible.
 */
export async function findByIdentity(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  kind: IdentityKind,
  value: string,
  at?: number,
): Promise<Doc<"contacts"> | null> {
  const identity = await findIdentity(ctx, accountId, kind, value, at);
  return identity === null ? null : await ctx.db.get(identity.contactId);
}

async function findIdentity(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  kind: IdentityKind,
  value: string,
  at: number | undefined,
): Promise<Doc<"contactIdentities"> | null> {
  const owners = await ctx.db
    .query("contactIdentities")
    .withIndex("by_account_kind_value", (q) =>
      q.eq("accountId", accountId).eq("kind", kind).eq("value", value),
    )
    .take(OWNERS_MAX);
  const current = owners.filter(({ endedAt }) => endedAt === undefined);
  if (current.length > 1) throw new Error(`Two contacts have one identity of kind ${kind}.`);
  const former = owners
    .filter(({ endedAt }) => endedAt !== undefined && at !== undefined && at <= endedAt)
    .sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  return former[0] ?? current[0] ?? null;
}

/**
 * Gives the contact an identity that nobody has at the time. Returns whether the identity is the contact's then.
 */
export async function linkIdentity(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  contactId: Id<"contacts">,
  kind: IdentityKind,
  value: string,
  at?: number,
): Promise<boolean> {
  return await identitiesAt(ctx, accountId, at).link(contactId, kind, value);
}

/** The identities of an account at one time, each looked up once. */
export interface IdentitiesAt {
  /** The contact that has the identity at the time. */
  owner(kind: IdentityKind, value: string): Promise<Id<"contacts"> | null>;
  /** Gives it to the contact unless somebody has it. Returns whether it is the contact's then. */
  link(contactId: Id<"contacts">, kind: IdentityKind, value: string): Promise<boolean>;
}

/**
 * For one webhook, which asks for the same identities when it looks for its contact and when it links them. Not to be
 * used after anything else changed an identity.
 *
 * @param at ms, Meta's clock; without it only who has an identity now
 */
export function identitiesAt(ctx: MutationCtx, accountId: Id<"accounts">, at?: number): IdentitiesAt {
  const found = new Map<string, { contactId: Id<"contacts">; endedAt?: number | undefined } | null>();
  const find = async (kind: IdentityKind, value: string) => {
    const name = `${kind}:${value}`;
    const known = found.get(name);
    if (known !== undefined) return known;
    const identity = await findIdentity(ctx, accountId, kind, value, at);
    found.set(name, identity);
    return identity;
  };
  return {
    owner: async (kind, value) => (await find(kind, value))?.contactId ?? null,
    link: async (contactId, kind, value) => {
      const identity = await find(kind, value);
      if (identity !== null) return identity.contactId === contactId && identity.endedAt === undefined;
      await ctx.db.insert("contactIdentities", { accountId, contactId, kind, value });
      found.set(`${kind}:${value}`, { contactId });
      return true;
    },
  };
}

/**
 * Gives the contact an identity in place of those of the same kind, which it keeps for messages from before `at`.
 * Returns whether it is the contact's now.
 */
export async function moveIdentity(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  contactId: Id<"contacts">,
  kind: IdentityKind,
  value: string,
  at: number,
): Promise<boolean> {
  if (!(await linkIdentity(ctx, accountId, contactId, kind, value))) return false;
  const own = await ctx.db
    .query("contactIdentities")
    .withIndex("by_contact", (q) => q.eq("contactId", contactId).eq("kind", kind))
    .take(IDENTITIES_PER_KIND_MAX);
  for (const identity of own) {
    if (identity.value !== value && identity.endedAt === undefined)
      await ctx.db.patch(identity._id, { endedAt: at });
  }
  return true;
}

/** Makes a username (in its comparable form) the contact's only one; it is taken from whoever had it. */
export async function replaceUsername(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  contactId: Id<"contacts">,
  value: string,
): Promise<void> {
  const taken = await findIdentity(ctx, accountId, "username", value, undefined);
  if (taken?.contactId === contactId) return;
  if (taken !== null) await ctx.db.delete(taken._id);
  const former = await ctx.db
    .query("contactIdentities")
    .withIndex("by_contact", (q) => q.eq("contactId", contactId).eq("kind", "username"))
    .first();
  if (former !== null) await ctx.db.delete(former._id);
  await ctx.db.insert("contactIdentities", { accountId, contactId, kind: "username", value });
}
