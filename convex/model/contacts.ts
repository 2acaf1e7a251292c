import { defined } from "#shared/defined";
import { phoneDigits, waIdAliases } from "#shared/phone";
import { readNaming, usernameKey } from "#shared/whatsapp/identity";
import type { Party } from "#shared/whatsapp/webhook-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { suggestDuplicate } from "./contactDuplicates";
import {
  findByIdentity,
  type IdentitiesAt,
  type IdentityKind,
  identitiesAt,
  linkIdentity,
  moveIdentity,
  replaceUsername,
} from "./contactIdentities";
import { appendEvent } from "./events";
import { eventContact } from "./messageEvents";

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
  const contact = await followMerges(ctx, await ctx.db.get(contactId));
  return contact?.accountId === accountId ? contact : "absent";
}

/** Merges in a row that an old id is followed through. */
const MERGES_MAX = 8;

/** The contact that this one was joined to, or itself; null stays null. */
export async function followMerges(
  ctx: QueryCtx,
  contact: Doc<"contacts"> | null,
): Promise<Doc<"contacts"> | null> {
  let current = contact;
  for (let hops = 0; hops < MERGES_MAX && current?.mergedInto !== undefined; hops++) {
    current = await ctx.db.get(current.mergedInto);
  }
  return current;
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

/** The same at the time of a webhook. */
async function ownerOfNumber(identities: IdentitiesAt, waId: string): Promise<Id<"contacts"> | null> {
  for (const candidate of waIdAliases(waId)) {
    const owner =
      (await identities.owner("wa_id", candidate)) ?? (await identities.owner("phone", candidate));
    if (owner !== null) return owner;
  }
  return null;
}

/** When (ms, Meta's clock) and by which message somebody was named. */
export interface Sighting {
  at: number;
  wamid?: string;
}

/**
 * The contact of a webhook's party, created or completed with what the webhook tells. Null when it names nobody.
 *
 * When number and user id belong to two different contacts, the number decides and nothing is merged: a wrong merge
 * shows one person's messages to another and cannot be undone. A person is asked instead.
 */
export async function ensureContact(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  party: Party,
  seen?: Sighting,
): Promise<Doc<"contacts"> | null> {
  const { userId, parentUserId } = party;
  // Some senders write a user id or a name where the number belongs; only digits are a number.
  const waId = party.waId !== undefined && isWaId(party.waId) ? party.waId : undefined;
  if (waId === undefined && userId === undefined) return null;
  const identities = identitiesAt(ctx, accountId, seen?.at);
  const candidates = [
    waId === undefined ? null : await ownerOfNumber(identities, waId),
    userId === undefined ? null : await identities.owner("bsuid", userId),
    parentUserId === undefined
      ? null
      : ((await findByIdentity(ctx, accountId, "parent_bsuid", parentUserId))?._id ?? null),
  ].filter((candidate) => candidate !== null);
  const [found, ...others] = candidates;
  const contactId = found ?? (await ctx.db.insert("contacts", { accountId }));
  for (const other of others) {
    await suggestDuplicate(ctx, accountId, [contactId, other], "same_sender", seen);
  }
  const contact = await ctx.db.get(contactId);
  if (contact === null) throw new Error(`Contact ${contactId} is gone.`);
  const ids = await linkIds(identities, contact, { waId, userId, parentUserId }, seen);
  const changes = {
    ...ids,
    ...newer("profileName", "nameAt", contact, party.name, seen),
    ...(await takeUsername(ctx, contact, party.username, seen)),
  };
  const isNews = Object.entries(changes).some(([field, value]) => Reflect.get(contact, field) !== value);
  if (isNews) await ctx.db.patch(contactId, changes);
  return { ...contact, ...changes };
}

/** Gives the contact the ids that nobody else has. Returns what that changes of its row. */
async function linkIds(
  identities: IdentitiesAt,
  contact: Doc<"contacts">,
  { waId, userId, parentUserId }: NewIds,
  seen: Sighting | undefined,
): Promise<Partial<Doc<"contacts">>> {
  const link = async (kind: IdentityKind, value: string | undefined) =>
    value !== undefined && (await identities.link(contact._id, kind, value));
  const ownsNumber = await link("wa_id", waId);
  // A row that shows both says that they were linked, and neither is ever given to somebody else but in a merge.
  const isShown = waId !== undefined && contact.waId === waId && contact.phone === `+${waId}`;
  if (!isShown) await link("phone", waId);
  const ownsUserId = await link("bsuid", userId);
  const ownsParent = await link("parent_bsuid", parentUserId);
  return {
    ...(ownsNumber && contact.waId === undefined && waId !== undefined && { waId }),
    ...(ownsNumber && contact.phone === undefined && waId !== undefined && { phone: `+${waId}` }),
    ...(ownsParent && parentUserId !== undefined && { parentUserId }),
    ...(ownsUserId && newer("userId", "userIdAt", contact, userId, seen)),
  };
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

/**
 * A field that can change at any time, if the webhook says it later than what is stored; of two said in the same
 * second the greater word counts, so that the order of arrival does not matter.
 */
function newer<Field extends "profileName" | "userId" | "username">(
  field: Field,
  timeField: "nameAt" | "userIdAt" | "usernameAt",
  contact: Doc<"contacts">,
  value: string | undefined,
  seen: Sighting | undefined,
): Partial<Doc<"contacts">> {
  const known: string | undefined = contact[field];
  if (value === undefined || value === known) {
    const at = Math.max(contact[timeField] ?? 0, seen?.at ?? 0);
    return value === undefined || at === 0 ? {} : { [timeField]: at };
  }
  if (known !== undefined && !isNewer(seen?.at ?? 0, contact[timeField] ?? 0, value > known)) return {};
  return { [field]: value, ...(seen !== undefined && { [timeField]: seen.at }) };
}

function isNewer(at: number, knownAt: number, greater: boolean): boolean {
  return at === knownAt ? greater : at > knownAt;
}

function isWaId(text: string): boolean {
  return /^\d{5,20}$/.test(text);
}

/**
 * A username belongs to whoever used it last: it is taken from its former owner, and the contact's older one is given
 * up. Returns what that changes of the contact's row.
 */
async function takeUsername(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
  username: string | undefined,
  seen: Sighting | undefined,
): Promise<Partial<Doc<"contacts">>> {
  const change = newer("username", "usernameAt", contact, username, seen);
  if (username !== undefined && change.username !== undefined) {
    const { accountId, _id: contactId } = contact;
    const taken = await findByIdentity(ctx, accountId, "username", usernameKey(username));
    if (taken !== null && taken._id !== contactId) {
      if ((taken.usernameAt ?? 0) > (seen?.at ?? 0)) return {};
      await ctx.db.patch(taken._id, { username: undefined });
    }
    await replaceUsername(ctx, accountId, contactId, usernameKey(username));
  }
  return change;
}

/** Notes that Meta calls the contact by another number than the one that we dialled, so that its answer is recognised. */
export async function learnWaId(ctx: MutationCtx, contact: Doc<"contacts">, waId: string): Promise<void> {
  if (!isWaId(waId)) return;
  const owned = await linkIdentity(ctx, contact.accountId, contact._id, "wa_id", waId);
  if (owned && contact.waId !== waId) await ctx.db.patch(contact._id, { waId });
}

/** What a person is called from some moment on. */
export interface NewIds {
  waId?: string | undefined;
  userId?: string | undefined;
  parentUserId?: string | undefined;
}

/**
 * Meta says that a contact has another number or another user id from now on. The new ones become the contact's, the
 * old ones stay its own for messages from before. When a new one belongs to another contact already, nothing is
 * merged: a person is asked.
 */
export async function changeIds(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
  ids: NewIds,
  reason: "number_changed" | "id_changed",
  seen: Sighting,
): Promise<void> {
  const { accountId, _id: contactId } = contact;
  const waId = ids.waId !== undefined && isWaId(ids.waId) ? ids.waId : undefined;
  const moves: [IdentityKind, string | undefined][] = [
    ["wa_id", waId],
    ["phone", waId],
    ["bsuid", ids.userId],
    ["parent_bsuid", ids.parentUserId],
  ];
  const moved = new Set<IdentityKind>();
  for (const [kind, value] of moves) {
    if (value === undefined) continue;
    const owner = await findByIdentity(ctx, accountId, kind, value);
    if (owner !== null && owner._id !== contactId) {
      await suggestDuplicate(ctx, accountId, [contactId, owner._id], reason, seen);
    } else if (await moveIdentity(ctx, accountId, contactId, kind, value, seen.at)) moved.add(kind);
  }
  await ctx.db.patch(contactId, {
    ...(moved.has("wa_id") && waId !== undefined && { waId, phone: `+${waId}` }),
    ...(moved.has("bsuid") && defined({ userId: ids.userId, userIdAt: seen.at })),
    ...(moved.has("parent_bsuid") && defined({ parentUserId: ids.parentUserId })),
  });
  const changed = moved.size === 0 ? null : await ctx.db.get(contactId);
  if (changed === null) return;
  await appendEvent(ctx, {
    accountId,
    type: "contact.updated",
    dedupeKey: `${contactId}:${reason}:${seen.wamid ?? seen.at}`,
    occurredAt: seen.at,
    payload: { contact: eventContact(changed), reason },
  });
}
