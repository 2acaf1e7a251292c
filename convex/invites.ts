import { v } from "convex/values";
import { internal } from "./_generated/api";
import {
  internalAction,
  internalMutation,
  memberAction,
  memberMutation,
  memberQuery,
  serviceMutation,
  serviceQuery,
  userMutation,
} from "./functions";
import { ADMIN, actorArg, userActor } from "./model/actor";
import {
  acceptInvite,
  insertInvite,
  invitationView,
  inviteView,
  listInvites,
  mintInviteToken,
  readInvite,
  revokeInvite,
} from "./model/invites";
import { accountRole } from "./tables/accounts";

const newInvite = { accountId: v.id("accounts"), email: v.string(), role: accountRole };
const shownOnce = v.object({ ...inviteView.fields, token: v.string() });
type ShownOnce = typeof shownOnce.type;

/** Invites one e-mail address. The token is shown this once; whoever signed up with that address may accept it. */
export const create = memberAction({
  permission: "members.manage",
  args: newInvite,
  returns: shownOnce,
  handler: async (ctx, args): Promise<ShownOnce> => {
    const { token, tokenHash } = await mintInviteToken();
    const actor = userActor(ctx.userId);
    return { ...(await ctx.runMutation(internal.invites.insert, { actor, ...args, tokenHash })), token };
  },
});

/** As `create`, for the administrator. */
export const createByAdmin = internalAction({
  args: newInvite,
  returns: shownOnce,
  handler: async (ctx, args): Promise<ShownOnce> => {
    const { token, tokenHash } = await mintInviteToken();
    return {
      ...(await ctx.runMutation(internal.invites.insert, { actor: ADMIN, ...args, tokenHash })),
      token,
    };
  },
});

export const insert = internalMutation({
  args: { actor: actorArg, ...newInvite, tokenHash: v.string() },
  returns: inviteView,
  handler: async (ctx, { actor, ...invite }) => await insertInvite(ctx, actor, invite, Date.now()),
});

export const list = memberQuery({
  permission: "members.manage",
  args: { accountId: v.id("accounts") },
  returns: v.array(inviteView),
  handler: async (ctx) => await listInvites(ctx, ctx.account._id),
});

export const revoke = memberMutation({
  permission: "members.manage",
  args: { accountId: v.id("accounts"), inviteId: v.id("accountInvites") },
  returns: inviteView,
  handler: async (ctx, args) => await revokeInvite(ctx, userActor(ctx.userId), args, Date.now()),
});

/** Makes the signed-in person a member of the account that the token invites them to. */
export const accept = userMutation({
  args: { token: v.string() },
  returns: v.object({ accountId: v.id("accounts") }),
  handler: async (ctx, args) => ({ accountId: await acceptInvite(ctx, args.token, ctx.userId, Date.now()) }),
});

/** What a token opens, for the Next server's page of it; `userId` is who looks at the page, if anybody is signed in. */
export const read = serviceQuery({
  args: { token: v.string(), userId: v.optional(v.string()) },
  returns: v.union(v.null(), invitationView),
  handler: async (ctx, { token, userId }) => await readInvite(ctx, token, userId),
});

/** As `accept`, by the Next server for a person who has just signed up and has no session yet. */
export const acceptFor = serviceMutation({
  args: { token: v.string(), userId: v.string() },
  returns: v.object({ accountId: v.id("accounts") }),
  handler: async (ctx, args) => ({ accountId: await acceptInvite(ctx, args.token, args.userId, Date.now()) }),
});
