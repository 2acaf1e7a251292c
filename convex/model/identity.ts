import type { UserIdentity } from "convex/server";
import { can, type Permission } from "#shared/domain/roles";
import { fitsTools, type KeyTools } from "#shared/scopes";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { fail } from "./errors";

/** The three uses of the identity tokens that the Next server signs; the claim `use` says which one it is. */
type TokenUse = "user" | "mcp" | "service";

/** The subject of every token of use `service`: the Next server acting for itself. */
const SERVICE_SUBJECT = "service:next";

export interface Member {
  readonly userId: string;
  readonly account: Doc<"accounts">;
  readonly role: Doc<"accountMembers">["role"];
}

export interface Caller {
  readonly apiKeyId: Id<"apiKeys">;
  readonly key: Doc<"apiKeys">;
  readonly name: string;
  readonly accountId: Id<"accounts">;
  /** Every account whose number the key may use. */
  readonly grantedAccountIds: readonly Id<"accounts">[];
  readonly scopes: readonly string[];
}

/** The identity of the call if it is of this use; anything else, also a valid token of another use, is unauthorized. */
async function requireUse(ctx: Pick<QueryCtx, "auth">, use: TokenUse): Promise<UserIdentity> {
  const identity = await ctx.auth.getUserIdentity();
  if (identity === null || identity["use"] !== use) fail("unauthorized");
  return identity;
}

/** Id of the signed-in person. Throws `unauthorized`. */
export async function requireUser(ctx: Pick<QueryCtx, "auth">): Promise<string> {
  return (await requireUse(ctx, "user")).subject;
}

/** Lets only the Next server itself through. Throws `unauthorized`. */
export async function requireService(ctx: QueryCtx): Promise<void> {
  const identity = await requireUse(ctx, "service");
  if (identity.subject !== SERVICE_SUBJECT) fail("unauthorized");
}

/**
 * The membership of the signed-in person in the account that the arguments name. A missing account, an account of
 * others and an id that is none give the same `not_found`; a role without the permission gives `forbidden`.
 */
export async function requireMember(ctx: QueryCtx, args: object, permission: Permission): Promise<Member> {
  const member = await requireAnyMember(ctx, claimedAccount(args));
  if (!can(member.role, permission)) fail("forbidden");
  return member;
}

/** The account that the arguments name, as they name it. */
export function claimedAccount(args: object): string {
  return "accountId" in args && typeof args.accountId === "string" ? args.accountId : "";
}

/** The membership of the signed-in person, whatever their role. Throws `unauthorized` or `not_found`. */
export async function requireAnyMember(ctx: QueryCtx, claimed: string): Promise<Member> {
  const userId = await requireUser(ctx);
  const accountId = ctx.db.normalizeId("accounts", claimed);
  if (accountId === null) fail("not_found");
  const membership = await findMembership(ctx, accountId, userId);
  const account = membership === null ? null : await ctx.db.get(accountId);
  if (membership === null || account === null) fail("not_found");
  return { userId, account, role: membership.role };
}

/** The row that makes a person a member of an account, or null. */
export async function findMembership(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  userId: string,
): Promise<Doc<"accountMembers"> | null> {
  return await ctx.db
    .query("accountMembers")
    .withIndex("by_account_user", (q) => q.eq("accountId", accountId).eq("userId", userId))
    .unique();
}

/**
 * The API key behind the call, read again in this very transaction, so that a revocation takes effect at once although
 * the token still lives. Throws `unauthorized`, or `scope_missing` when the key is narrowed to none of these tools.
 */
export async function requireCaller(ctx: QueryCtx, tools: KeyTools): Promise<Caller> {
  const identity = await requireUse(ctx, "mcp");
  const apiKeyId = ctx.db.normalizeId("apiKeys", identity.subject);
  const key = apiKeyId === null ? null : await ctx.db.get(apiKeyId);
  if (key === null || key.revokedAt !== undefined) fail("unauthorized");
  if (!fitsTools(key.tools, tools)) fail("scope_missing", { say: "The key may not use this tool." });
  return {
    apiKeyId: key._id,
    key,
    name: key.name,
    accountId: key.accountId,
    grantedAccountIds: key.grantedAccountIds,
    scopes: key.scopes,
  };
}

/** As `requireCaller`, and also refuses a key whose end has come but whose scheduled expiry has not run yet. */
export async function requireCallerNow(ctx: MutationCtx, tools: KeyTools, now: number): Promise<Caller> {
  const caller = await requireCaller(ctx, tools);
  if (caller.key.expiresAt !== undefined && caller.key.expiresAt <= now) fail("unauthorized");
  return caller;
}
