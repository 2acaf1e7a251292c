import { type Infer, v } from "convex/values";
import { plainBytes, toBase64Url, toHex } from "#shared/bytes";
import { defined } from "#shared/defined";
import type { Role } from "#shared/domain/roles";
import { DAY_MS } from "#shared/time";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { accountRole } from "../tables/accounts";
import { type Actor, actorWord, requireActor } from "./actor";
import { recordAudit } from "./audit";
import { fail } from "./errors";
import { findMembership } from "./identity";
import { addMember, findPerson } from "./members";

/** A week covers a holiday; a forgotten link should not open a door for long. */
const INVITE_KEPT_MS = 7 * DAY_MS;
/** 256 bits: nobody guesses one, so its plain digest is enough to store. */
const TOKEN_BYTES = 32;
/** Invitations of one account that a list shows and that may be open at a time. */
const INVITES_MAX = 100;
/** RFC 5321, 4.5.3.1.3: a path has at most 256 characters with its brackets. */
const EMAIL_CHARACTERS_MAX = 254;
const EMAIL_FORM = /^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$/;

export const inviteView = v.object({
  id: v.id("accountInvites"),
  email: v.string(),
  role: accountRole,
  /** User id of who invited, or `admin` for the administrator. */
  invitedBy: v.string(),
  createdAt: v.number(),
  expiresAt: v.number(),
  acceptedAt: v.optional(v.number()),
  revokedAt: v.optional(v.number()),
});

/** A new token from true randomness. Only for actions; it is shown once and stored as its digest. */
export async function mintInviteToken(): Promise<{ token: string; tokenHash: string }> {
  const token = toBase64Url(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)));
  return { token, tokenHash: await hashToken(token) };
}

async function hashToken(token: string): Promise<string> {
  return toHex(await crypto.subtle.digest("SHA-256", plainBytes(token)));
}

/**
 * Stores an invitation for one e-mail address. An earlier open one for the same address ends, so that the newest role
 * counts. Throws `forbidden` (only owners invite owners) or `invalid_request`, naming the field.
 */
export async function insertInvite(
  ctx: MutationCtx,
  actor: Actor,
  invite: { accountId: Id<"accounts">; email: string; role: Role; tokenHash: string },
  now: number,
) {
  const { accountId, role, tokenHash } = invite;
  await requireActor(ctx, actor, accountId, role === "owner" ? "owners.manage" : "members.manage");
  const email = storedEmail(invite.email);
  for (const earlier of await openInvites(ctx, accountId, now)) {
    if (earlier.email === email) await ctx.db.patch(earlier._id, { revokedAt: now });
  }
  if ((await openInvites(ctx, accountId, now)).length >= INVITES_MAX) {
    fail("invalid_request", { say: `At most ${INVITES_MAX} invitations may be open: revoke one first.` });
  }
  const inviteId = await ctx.db.insert("accountInvites", {
    accountId,
    email,
    role,
    tokenHash,
    invitedBy: actor.kind === "admin" ? "admin" : actor.userId,
    createdAt: now,
    expiresAt: now + INVITE_KEPT_MS,
  });
  await auditInvite(ctx, actorWord(actor), accountId, "invite.create", inviteId, now);
  return viewInvite(await requireInvite(ctx, inviteId));
}

/** Addresses are compared in lower case, as the sign-in store keeps them. */
function storedEmail(text: string): string {
  const email = text.trim().toLowerCase();
  if (email.length > EMAIL_CHARACTERS_MAX || !EMAIL_FORM.test(email))
    fail("invalid_request", { field: "email" });
  return email;
}

async function openInvites(ctx: QueryCtx, accountId: Id<"accounts">, now: number) {
  const invites = await ctx.db
    .query("accountInvites")
    .withIndex("by_account_expiry", (q) => q.eq("accountId", accountId).gt("expiresAt", now))
    .take(2 * INVITES_MAX);
  return invites.filter((invite) => isOpen(invite, now));
}

function isOpen({ acceptedAt, revokedAt, expiresAt }: Doc<"accountInvites">, now: number): boolean {
  return acceptedAt === undefined && revokedAt === undefined && expiresAt > now;
}

/** The newest invitations of an account, also those that are over. */
export async function listInvites(ctx: QueryCtx, accountId: Id<"accounts">) {
  const invites = await ctx.db
    .query("accountInvites")
    .withIndex("by_account_expiry", (q) => q.eq("accountId", accountId))
    .order("desc")
    .take(INVITES_MAX);
  return invites.map(viewInvite);
}

/** Ends an invitation. One that is over already is left as it is. Throws `not_found`. */
export async function revokeInvite(
  ctx: MutationCtx,
  actor: Actor,
  named: { accountId: Id<"accounts">; inviteId: Id<"accountInvites"> },
  now: number,
) {
  await requireActor(ctx, actor, named.accountId, "members.manage");
  const invite = await requireInvite(ctx, named.inviteId);
  if (invite.accountId !== named.accountId) fail("not_found");
  if (isOpen(invite, now)) {
    await ctx.db.patch(invite._id, { revokedAt: now });
    await auditInvite(ctx, actorWord(actor), named.accountId, "invite.revoke", invite._id, now);
  }
  return viewInvite(await requireInvite(ctx, invite._id));
}

/**
 * What a token opens, for the page of the invitation. Of one that is over only that is told, and why: whoever finds an
 * old link learns no name from it. The caller compares `expiresAt` (ms) with its clock.
 */
export const invitationView = v.union(
  v.object({
    state: v.literal("open"),
    accountName: v.string(),
    email: v.string(),
    role: accountRole,
    expiresAt: v.number(),
  }),
  v.object({ state: v.union(v.literal("used"), v.literal("revoked")) }),
  /** Accepted by the one who asks, who is a member still. */
  v.object({ state: v.literal("joined"), accountId: v.id("accounts") }),
);

/** The invitation of a token as `userId` sees it, who may be nobody; null for a token that never was one. */
export async function readInvite(
  ctx: QueryCtx,
  token: string,
  userId: string | undefined,
): Promise<Infer<typeof invitationView> | null> {
  const invite = await findByToken(ctx, token);
  const account = invite === null ? null : await ctx.db.get(invite.accountId);
  if (invite === null || account === null) return null;
  const { acceptedAt, acceptedBy, revokedAt, email, role, expiresAt } = invite;
  if (acceptedAt !== undefined) {
    const isTheirs = userId !== undefined && acceptedBy === userId;
    const isMember = isTheirs && (await findMembership(ctx, account._id, userId)) !== null;
    return isMember ? { state: "joined", accountId: account._id } : { state: "used" };
  }
  if (revokedAt !== undefined) return { state: "revoked" };
  return { state: "open", accountName: account.name, email, role, expiresAt };
}

/**
 * Makes the person a member of the account that the token invites to. The token works once, and only for the person
 * who signed up with the invited address; repeating it by that person changes nothing. Throws `invite_invalid`.
 */
export async function acceptInvite(
  ctx: MutationCtx,
  token: string,
  userId: string,
  now: number,
): Promise<Id<"accounts">> {
  const invite = (await findByToken(ctx, token)) ?? fail("invite_invalid");
  if (invite.acceptedBy === userId) return invite.accountId;
  const person = await findPerson(ctx, userId);
  const addressed = person?.email.toLowerCase() === invite.email;
  const account = await ctx.db.get(invite.accountId);
  if (!isOpen(invite, now) || !addressed || account === null) fail("invite_invalid");
  await addMember(ctx, invite.accountId, userId, invite.role);
  await ctx.db.patch(invite._id, { acceptedAt: now, acceptedBy: userId });
  if (invite.role === "owner") await ctx.db.patch(invite.accountId, { hasOwner: true });
  await auditInvite(ctx, `user:${userId}`, invite.accountId, "invite.accept", invite._id, now);
  return invite.accountId;
}

async function findByToken(ctx: QueryCtx, token: string): Promise<Doc<"accountInvites"> | null> {
  const tokenHash = await hashToken(token);
  return await ctx.db
    .query("accountInvites")
    .withIndex("by_token_hash", (q) => q.eq("tokenHash", tokenHash))
    .unique();
}

async function requireInvite(ctx: QueryCtx, inviteId: Id<"accountInvites">): Promise<Doc<"accountInvites">> {
  return (await ctx.db.get(inviteId)) ?? fail("not_found");
}

function viewInvite(invite: Doc<"accountInvites">) {
  const { _id, email, role, invitedBy, createdAt, expiresAt, acceptedAt, revokedAt } = invite;
  return { id: _id, email, role, invitedBy, createdAt, expiresAt, ...defined({ acceptedAt, revokedAt }) };
}

async function auditInvite(
  ctx: MutationCtx,
  principal: string,
  accountId: Id<"accounts">,
  action: string,
  inviteId: Id<"accountInvites">,
  now: number,
): Promise<void> {
  await recordAudit(ctx, { accountId, principal, action, outcome: "done", subject: inviteId, at: now });
}
