import { v } from "convex/values";
import { internalQuery, memberMutation, memberQuery } from "./functions";
import { userActor } from "./model/actor";
import { requireAnyMember } from "./model/identity";
import {
  changeRole as changeRoleOf,
  leaveAccount,
  listMembers,
  memberView,
  removeMember,
  transferOwnership,
} from "./model/members";
import { accountRole } from "./tables/accounts";

const accountId = v.id("accounts");

/** Who the signed-in person is in an account; what actions ask first, because they see no rows. */
export const current = internalQuery({
  args: { accountId: v.string() },
  returns: v.object({ userId: v.string(), role: accountRole }),
  handler: async (ctx, args) => {
    const { userId, role } = await requireAnyMember(ctx, args.accountId);
    return { userId, role };
  },
});

export const list = memberQuery({
  permission: "members.read",
  args: { accountId },
  returns: v.array(memberView),
  handler: async (ctx) => await listMembers(ctx, ctx.account._id),
});

/** Owners are made and unmade by owners only; the last one stays. */
export const changeRole = memberMutation({
  permission: "members.manage",
  args: { accountId, userId: v.string(), role: accountRole },
  returns: v.null(),
  handler: async (ctx, args) => {
    await changeRoleOf(ctx, userActor(ctx.userId), args, Date.now());
    return null;
  },
});

/** Takes the person and every key of theirs out of the account, at once. */
export const remove = memberMutation({
  permission: "members.manage",
  args: { accountId, userId: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await removeMember(ctx, userActor(ctx.userId), args, Date.now());
    return null;
  },
});

export const leave = memberMutation({
  permission: "members.read",
  args: { accountId },
  returns: v.null(),
  handler: async (ctx) => {
    await leaveAccount(ctx, ctx.account._id, ctx.userId, Date.now());
    return null;
  },
});

/** Makes another member an owner and oneself an admin. */
export const transfer = memberMutation({
  permission: "owners.manage",
  args: { accountId, userId: v.string() },
  returns: v.null(),
  handler: async (ctx, args) => {
    const people = { accountId: ctx.account._id, fromUserId: ctx.userId, toUserId: args.userId };
    await transferOwnership(ctx, people, Date.now());
    return null;
  },
});
