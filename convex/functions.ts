import type { RegisteredAction, RegisteredMutation, RegisteredQuery } from "convex/server";
import type { GenericValidator, Infer, ObjectType, PropertyValidators, VId } from "convex/values";
import { can, type Permission, type Role } from "#shared/domain/roles";
import type { KeyTools } from "#shared/scopes";
import { internal } from "./_generated/api";
import type { Id } from "./_generated/dataModel";
import {
  type ActionCtx,
  type MutationCtx,
  type QueryCtx,
  action as rawAction,
  httpAction as rawHttpAction,
  internalAction as rawInternalAction,
  internalMutation as rawInternalMutation,
  internalQuery as rawInternalQuery,
  mutation as rawMutation,
  query as rawQuery,
} from "./_generated/server";
import { fail } from "./model/errors";
import {
  type Caller,
  claimedAccount,
  type Member,
  requireCaller,
  requireCallerNow,
  requireMember,
  requireService,
  requireUser,
} from "./model/identity";

/**
 * The only place that touches Convex's raw builders. Every function of the deployment is made here, so none can be
 * without argument and return validators, and none can see a tenant's rows without an identity that belongs there.
 * Identity comes from `ctx` only; the account that a member works in is an argument that is checked, never believed.
 */
interface Door<Ctx, Args extends PropertyValidators, Returns extends GenericValidator> {
  args: Args;
  returns: Returns;
  handler: (ctx: Ctx, args: ObjectType<Args>) => Promise<Infer<Returns>>;
}

type QueryBuilder<Visibility extends "public" | "internal"> = <
  Args extends PropertyValidators,
  Returns extends GenericValidator,
>(
  door: Door<QueryCtx, Args, Returns>,
) => RegisteredQuery<Visibility, ObjectType<Args>, Promise<Infer<Returns>>>;

type MutationBuilder<Visibility extends "public" | "internal"> = <
  Args extends PropertyValidators,
  Returns extends GenericValidator,
>(
  door: Door<MutationCtx, Args, Returns>,
) => RegisteredMutation<Visibility, ObjectType<Args>, Promise<Infer<Returns>>>;

type ActionBuilder<Visibility extends "public" | "internal"> = <
  Args extends PropertyValidators,
  Returns extends GenericValidator,
>(
  door: Door<ActionCtx, Args, Returns>,
) => RegisteredAction<Visibility, ObjectType<Args>, Promise<Infer<Returns>>>;

/** A door of an account says what its visitor must be allowed to do (`shared/domain/roles`). */
type MemberDoor<Ctx, Args extends PropertyValidators, Returns extends GenericValidator> = Door<
  Ctx,
  Args,
  Returns
> & { permission: Permission };

/**
 * A door of a key names the MCP tools that stand on it: a key that is narrowed to other tools does not pass. `any` is for
 * what every key may know or do; each door that says so says why.
 */
type CallerDoor<Ctx, Args extends PropertyValidators, Returns extends GenericValidator> = Door<
  Ctx,
  Args,
  Returns
> & { tools: KeyTools };

type AccountArgs = PropertyValidators & { accountId: VId<Id<"accounts">> };

/** For anybody, without an identity. */
export const publicQuery: QueryBuilder<"public"> = rawQuery;
export const publicMutation: MutationBuilder<"public"> = rawMutation;

/** Not reachable from outside: called by other functions, the scheduler, crons and the holder of the admin key. */
export const internalQuery: QueryBuilder<"internal"> = rawInternalQuery;
export const internalMutation: MutationBuilder<"internal"> = rawInternalMutation;
export const internalAction: ActionBuilder<"internal"> = rawInternalAction;
export const httpAction = rawHttpAction;

/** For the Next server acting for itself (the sign-in store, the look-up of API keys). */
export function serviceQuery<Args extends PropertyValidators, Returns extends GenericValidator>(
  door: Door<QueryCtx, Args, Returns>,
) {
  return publicQuery({
    args: door.args,
    returns: door.returns,
    handler: async (ctx, args) => {
      await requireService(ctx);
      return await door.handler(ctx, args);
    },
  });
}

export function serviceMutation<Args extends PropertyValidators, Returns extends GenericValidator>(
  door: Door<MutationCtx, Args, Returns>,
) {
  return publicMutation({
    args: door.args,
    returns: door.returns,
    handler: async (ctx, args) => {
      await requireService(ctx);
      return await door.handler(ctx, args);
    },
  });
}

/** For any signed-in person; what they see is theirs because the handler starts from `ctx.userId`. */
export function userQuery<Args extends PropertyValidators, Returns extends GenericValidator>(
  door: Door<QueryCtx & { userId: string }, Args, Returns>,
) {
  return publicQuery({
    args: door.args,
    returns: door.returns,
    handler: async (ctx, args) => await door.handler({ ...ctx, userId: await requireUser(ctx) }, args),
  });
}

export function userMutation<Args extends PropertyValidators, Returns extends GenericValidator>(
  door: Door<MutationCtx & { userId: string }, Args, Returns>,
) {
  return publicMutation({
    args: door.args,
    returns: door.returns,
    handler: async (ctx, args) => await door.handler({ ...ctx, userId: await requireUser(ctx) }, args),
  });
}

/**
 * For a member of the account named by the argument `accountId` whose role has the permission; adds `account`, `role`
 * and `userId`.
 */
export function memberQuery<Args extends AccountArgs, Returns extends GenericValidator>(
  door: MemberDoor<QueryCtx & Member, Args, Returns>,
) {
  return publicQuery({
    args: door.args,
    returns: door.returns,
    handler: async (ctx, args) =>
      await door.handler({ ...ctx, ...(await requireMember(ctx, args, door.permission)) }, args),
  });
}

export function memberMutation<Args extends AccountArgs, Returns extends GenericValidator>(
  door: MemberDoor<MutationCtx & Member, Args, Returns>,
) {
  return publicMutation({
    args: door.args,
    returns: door.returns,
    handler: async (ctx, args) =>
      await door.handler({ ...ctx, ...(await requireMember(ctx, args, door.permission)) }, args),
  });
}

const publicAction: ActionBuilder<"public"> = rawAction;

/** For any signed-in person, where the work needs a network or true randomness. */
export function userAction<Args extends PropertyValidators, Returns extends GenericValidator>(
  door: Door<ActionCtx & { userId: string }, Args, Returns>,
) {
  return publicAction({
    args: door.args,
    returns: door.returns,
    handler: async (ctx, args) => await door.handler({ ...ctx, userId: await requireUser(ctx) }, args),
  });
}

/**
 * As `memberMutation`, where the work needs a network or true randomness. An action is no transaction, so what it
 * stores in the end asks for the permission once more.
 */
export function memberAction<Args extends AccountArgs, Returns extends GenericValidator>(
  door: MemberDoor<ActionCtx & { userId: string }, Args, Returns>,
): RegisteredAction<"public", ObjectType<Args>, Promise<Infer<Returns>>> {
  return publicAction({
    args: door.args,
    returns: door.returns,
    handler: async (ctx, args) => {
      const accountId = claimedAccount(args);
      const { userId, role }: { userId: string; role: Role } = await ctx.runQuery(internal.members.current, {
        accountId,
      });
      if (!can(role, door.permission)) fail("forbidden");
      return await door.handler({ ...ctx, userId }, args);
    },
  });
}

/** For the holder of an API key; adds `caller`, read from the key's row in the same transaction. */
export function callerQuery<Args extends PropertyValidators, Returns extends GenericValidator>(
  door: CallerDoor<QueryCtx & { caller: Caller }, Args, Returns>,
) {
  return publicQuery({
    args: door.args,
    returns: door.returns,
    handler: async (ctx, args) =>
      await door.handler({ ...ctx, caller: await requireCaller(ctx, door.tools) }, args),
  });
}

export function callerMutation<Args extends PropertyValidators, Returns extends GenericValidator>(
  door: CallerDoor<MutationCtx & { caller: Caller }, Args, Returns>,
) {
  return publicMutation({
    args: door.args,
    returns: door.returns,
    handler: async (ctx, args) =>
      await door.handler({ ...ctx, caller: await requireCallerNow(ctx, door.tools, Date.now()) }, args),
  });
}
