import { defined } from "#shared/defined";
import { phoneDigits, waIdAliases } from "#shared/phone";
import { readNaming, usernameKey } from "#shared/whatsapp/identity";
import type { Party } from "#shared/whatsapp/webhook-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";

type IdentityKind = Doc<"contactIdentities">["kind"];

/** Why a text names no contact: it cannot name any, or it could but there is none. */
export type Unresolved = "malformed" | "absent" | "absent_number";

/**
 * The contact that a person or an agent means by a phone number in any spelling, `@username`, a contact id or a
 * business-scoped user id. A contact of another account is as absent as one that never was.
 */
export async function resolveContact(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  text: string,
): Promise<Doc<"contacts"> | Unresolved> {
  const naming = readNaming(text);
  switch (naming.kind) {
    case "username":
      return (await findByIdentity(ctx, accountId, "username", naming.username)) ?? "absent";
    case "userId":
      return (await findByIdentity(ctx, accountId, "bsuid", naming.userId)) ?? "absent";
    case "phone":
      return (await findByNumber(ctx, accountId, phoneDigits(naming.phone))) ?? "absent_number";
    case "other":
      break;
  }
  const contactId = ctx.db.normalizeId("contacts", naming.text);
  if (contactId === null) return "malformed";
  const contact = await ctx.db.get(contactId);
  return contact?.accountId === accountId ? contact : "absent";
}

/** As `resolveContact`, for readers who only need to know whether there is one. */
export async function findContact(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  text: string,
): Promise<Doc<"contacts"> | null> {
  const resolved = await resolveContact(ctx, accountId, text);
  return typeof resolved === "string" ? null : resolved;
}

async function findByIdentity(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  kind: IdentityKind,
  value: string,
): Promise<Doc<"contacts"> | null> {
  const identity = await findIdentity(ctx, accountId, kind, value);
  return identity === null ? null : await ctx.db.get(identity.contactId);
}

async function findIdentity(ctx: QueryCtx, accountId: Id<"accounts">, kind: IdentityKind, value: string) {
  return await ctx.db
    .query("contactIdentities")
    .withIndex("by_account_kind_value", (q) =>
      q.eq("accountId", accountId).eq("kind", kind).eq("value", value),
    )
    .unique();
}

/** Looks under the number as given first, then under the older numberings of Brazil, Mexico and Argentina. */
async function findByNumber(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  digits: string,
): Promise<Doc<"contacts"> | null> {
  for (const candidate of waIdAliases(digits)) {
    const contact =
      (await findByIdentity(ctx, accountId, "wa_id", candidate)) ??
      (await findByIdentity(ctx, accountId, "phone", candidate));
    if (contact !== null) return contact;
  }
  return null;
}

/**
 * The contact of a webhook's party, created or completed with what the webhook tells. Null when it names nobody.
 *
 * When number and user id belong to two different contacts, the number decides and nothing is merged: a wrong merge
 * shows one person's messages to another and cannot be undone.
 */
export async function ensureContact(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  party: Party,
): Promise<Doc<"contacts"> | null> {
  const { userId } = party;
  // Some senders write a user id or a name where the number belongs; only digits are a number.
  const waId = party.waId !== undefined && /^\d{5,20}$/.test(party.waId) ? party.waId : undefined;
  if (waId === undefined && userId === undefined) return null;
  const found =
    (waId === undefined ? null : await findByNumber(ctx, accountId, waId)) ??
    (userId === undefined ? null : await findByIdentity(ctx, accountId, "bsuid", userId));
  const contactId = found?._id ?? (await ctx.db.insert("contacts", { accountId }));
  if (waId !== undefined) {
    await linkIdentity(ctx, accountId, contactId, "wa_id", waId);
    await linkIdentity(ctx, accountId, contactId, "phone", waId);
  }
  const ownsUserId = userId !== undefined && (await linkIdentity(ctx, accountId, contactId, "bsuid", userId));
  if (party.username !== undefined)
    await moveUsername(ctx, accountId, contactId, usernameKey(party.username));
  await ctx.db.patch(
    contactId,
    defined({
      profileName: party.name,
      username: party.username,
      waId: found?.waId === undefined ? waId : undefined,
      phone: found?.phone === undefined && waId !== undefined ? `+${waId}` : undefined,
      userId: ownsUserId ? userId : undefined,
    }),
  );
  return await ctx.db.get(contactId);
}

/**
 * The contact of a number that we write to first. It has no WhatsApp id yet: Meta's answer to the first send brings
 * it, which may differ from the number.
 */
export async function contactForPhone(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  phone: string,
): Promise<Doc<"contacts">> {
  const found = await findByNumber(ctx, accountId, phoneDigits(phone));
  if (found !== null) return found;
  const contactId = await ctx.db.insert("contacts", { accountId, phone });
  await linkIdentity(ctx, accountId, contactId, "phone", phoneDigits(phone));
  const contact = await ctx.db.get(contactId);
  if (contact === null) throw new Error("The contact just inserted is not there.");
  return contact;
}

/** Notes that Meta calls the contact by another number than the one that we dialled, so that its answer is recognised. */
export async function learnWaId(ctx: MutationCtx, contact: Doc<"contacts">, waId: string): Promise<void> {
  if (!/^\d{5,20}$/.test(waId)) return;
  const owned = await linkIdentity(ctx, contact.accountId, contact._id, "wa_id", waId);
  if (owned && contact.waId !== waId) await ctx.db.patch(contact._id, { waId });
}

/** Gives the contact an identity that nobody has yet. Returns whether the identity is the contact's now. */
async function linkIdentity(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  contactId: Id<"contacts">,
  kind: IdentityKind,
  value: string,
): Promise<boolean> {
  const identity = await findIdentity(ctx, accountId, kind, value);
  if (identity !== null) return identity.contactId === contactId;
  await ctx.db.insert("contactIdentities", { accountId, contactId, kind, value });
  return true;
}

/** A username belongs to whoever uses it now: it is taken from its last owner, and the contact's older one is given up. */
async function moveUsername(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  contactId: Id<"contacts">,
  value: string,
): Promise<void> {
  const taken = await findIdentity(ctx, accountId, "username", value);
  if (taken?.contactId === contactId) return;
  if (taken !== null) {
    await ctx.db.delete(taken._id);
    await ctx.db.patch(taken.contactId, { username: undefined });
  }
  const former = await ctx.db
    .query("contactIdentities")
    .withIndex("by_contact", (q) => q.eq("contactId", contactId).eq("kind", "username"))
    .first();
  if (former !== null) await ctx.db.delete(former._id);
  await ctx.db.insert("contactIdentities", { accountId, contactId, kind: "username", value });
}
