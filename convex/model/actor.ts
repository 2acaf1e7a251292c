import { type Infer, v } from "convex/values";
import { can, type Permission, type Role } from "#shared/domain/roles";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { fail } from "./errors";
import { findMembership } from "./identity";

/**
 * On whose behalf an internal function works: a member, or the administrator who holds the deployment's admin key.
 * Only doors make it, from the identity of their call; it is asked again in the transaction that stores something.
 */
export const actorArg = v.union(
  v.object({ kind: v.literal("admin") }),
  v.object({ kind: v.literal("user"), userId: v.string() }),
);
export type Actor = Infer<typeof actorArg>;

export const ADMIN: Actor = { kind: "admin" };

export const userActor = (userId: string): Actor => ({ kind: "user", userId });

/** The actor as the audit log names it. */
export function actorWord(actor: Actor): string {
  return actor.kind === "admin" ? "admin" : `user:${actor.userId}`;
}

/**
 * The account with this id and what the actor is in it. Throws `not_found` for what is missing or foreign, and
 * `forbidden` when the role does not have the permission. The administrator may do what an owner may.
 */
export async function requireActor(
  ctx: QueryCtx,
  actor: Actor,
  accountId: Id<"accounts">,
  permission: Permission,
): Promise<{ account: Doc<"accounts">; role: Role }> {
  const account = (await ctx.db.get(accountId)) ?? fail("not_found");
  const role = actor.kind === "admin" ? "owner" : (await findMembership(ctx, accountId, actor.userId))?.role;
  if (role === undefined) fail("not_found");
  if (!can(role, permission)) fail("forbidden");
  return { account, role };
}
