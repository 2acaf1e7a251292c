import { v } from "convex/values";
import { defined } from "#shared/defined";
import type { Role } from "#shared/domain/roles";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { accountRole } from "../tables/accounts";
import { type Actor, actorWord, requireActor } from "./actor";
import { recordAudit } from "./audit";
import { fail } from "./errors";
import { findMembership } from "./identity";
import { endKeysOfMember } from "./keyChanges";

/** People of one account; more would be a company that wants groups, and every list of them stays one read. */
const MEMBERS_MAX = 200;

export const memberView = v.object({
  userId: v.string(),
  role: accountRole,
  name: v.optional(v.string()),
  email: v.optional(v.string()),
  joinedAt: v.number(),
});

/** Everybody in the account, in the order in which they joined. */
export async function listMembers(ctx: QueryCtx, accountId: Id<"accounts">) {
  const members = await membersOf(ctx, accountId);
  return await Promise.all(members.map((member) => viewMember(ctx, member)));
}

async function viewMember(ctx: QueryCtx, { userId, role, _creationTime }: Doc<"accountMembers">) {
  const person = await findPerson(ctx, userId);
  return { userId, role, joinedAt: _creationTime, ...defined({ name: person?.name, email: person?.email }) };
}

/** What a person said about themselves when they signed up, or null. */
export async function findPerson(ctx: QueryCtx, userId: string): Promise<Doc<"auth_user"> | null> {
  return await ctx.db
    .query("auth_user")
    .withIndex("ix_id", (q) => q.eq("id", userId))
    .unique();
}

async function membersOf(ctx: QueryCtx, accountId: Id<"accounts">): Promise<Doc<"accountMembers">[]> {
  const members = await ctx.db
    .query("accountMembers")
    .withIndex("by_account_user", (q) => q.eq("accountId", accountId))
    .take(MEMBERS_MAX);
  return members.sort((one, other) => one._creationTime - other._creationTime);
}

/**
 * Makes somebody a member. Whoever is one already keeps the higher of both roles, so that an old invitation takes
 * nothing away. Throws `invalid_request` when the account is full.
 */
export async function addMember(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  userId: string,
  role: Role,
): Promise<void> {
  const member = await findMembership(ctx, accountId, userId);
  if (member === null) {
    if ((await membersOf(ctx, accountId)).length >= MEMBERS_MAX) {
      fail("invalid_request", { say: `An account has at most ${MEMBERS_MAX} members.` });
    }
    await ctx.db.insert("accountMembers", { accountId, userId, role });
  } else if (member.role === "member") {
    await ctx.db.patch(member._id, { role });
  }
}

/**
 * Gives a member another role. Owners are made and unmade by owners only, and the last one stays.
 * Throws `not_found`, `forbidden` or `last_owner`.
 */
export async function changeRole(
  ctx: MutationCtx,
  actor: Actor,
  change: { accountId: Id<"accounts">; userId: string; role: Role },
  now: number,
): Promise<void> {
  const { accountId, userId, role } = change;
  const member = await requireManageable(ctx, actor, accountId, userId);
  if (role === "owner") await requireActor(ctx, actor, accountId, "owners.manage");
  if (member.role === role) return;
  if (member.role === "owner") await requireAnotherOwner(ctx, accountId, userId);
  await ctx.db.patch(member._id, { role });
  await auditMember(ctx, actorWord(actor), accountId, { action: "member.role", outcome: role, userId }, now);
}

/** Takes a person and every key of theirs out of the account, at once. Throws as `changeRole`. */
export async function removeMember(
  ctx: MutationCtx,
  actor: Actor,
  removal: { accountId: Id<"accounts">; userId: string },
  now: number,
): Promise<void> {
  const member = await requireManageable(ctx, actor, removal.accountId, removal.userId);
  await dropMember(ctx, member, now);
  await auditMember(
    ctx,
    actorWord(actor),
    removal.accountId,
    { action: "member.remove", outcome: "done", userId: removal.userId },
    now,
  );
}

/** The person goes by themselves. Throws `last_owner` when nobody else owns the account. */
export async function leaveAccount(ctx: MutationCtx, accountId: Id<"accounts">, userId: string, now: number) {
  const member = (await findMembership(ctx, accountId, userId)) ?? fail("not_found");
  await dropMember(ctx, member, now);
  await auditMember(
    ctx,
    `user:${userId}`,
    accountId,
    { action: "member.leave", outcome: "done", userId },
    now,
  );
}

/** Hands the account to another member; the one who does it becomes an admin. Throws `not_found` or `forbidden`. */
export async function transferOwnership(
  ctx: MutationCtx,
  transfer: { accountId: Id<"accounts">; fromUserId: string; toUserId: string },
  now: number,
): Promise<void> {
  const { accountId, fromUserId, toUserId } = transfer;
  const actor: Actor = { kind: "user", userId: fromUserId };
  if (fromUserId === toUserId) fail("invalid_request", { field: "userId" });
  await changeRole(ctx, actor, { accountId, userId: toUserId, role: "owner" }, now);
  await changeRole(ctx, actor, { accountId, userId: fromUserId, role: "admin" }, now);
}

/** The membership, if the actor may touch it: that of an owner takes an owner. */
async function requireManageable(
  ctx: QueryCtx,
  actor: Actor,
  accountId: Id<"accounts">,
  userId: string,
): Promise<Doc<"accountMembers">> {
  await requireActor(ctx, actor, accountId, "members.manage");
  const member = (await findMembership(ctx, accountId, userId)) ?? fail("not_found");
  if (member.role === "owner") await requireActor(ctx, actor, accountId, "owners.manage");
  return member;
}

async function dropMember(ctx: MutationCtx, member: Doc<"accountMembers">, now: number): Promise<void> {
  const { accountId, userId, role } = member;
  if (role === "owner") await requireAnotherOwner(ctx, accountId, userId);
  await ctx.db.delete(member._id);
  await endKeysOfMember(ctx, accountId, userId, now);
}

async function requireAnotherOwner(ctx: QueryCtx, accountId: Id<"accounts">, userId: string): Promise<void> {
  const members = await membersOf(ctx, accountId);
  if (!members.some((member) => member.role === "owner" && member.userId !== userId)) fail("last_owner");
}

async function auditMember(
  ctx: MutationCtx,
  principal: string,
  accountId: Id<"accounts">,
  { action, outcome, userId }: { action: string; outcome: string; userId: string },
  now: number,
): Promise<void> {
  await recordAudit(ctx, { accountId, principal, action, outcome, subject: userId, at: now });
}
