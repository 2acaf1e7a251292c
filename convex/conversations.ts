import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { internalMutation, memberMutation, memberQuery } from "./functions";
import { requireConversation } from "./model/conversations";
import { setArchived as setConversationArchived } from "./model/conversationUpdates";
import { handoffView, listHandoffs } from "./model/handoffs";
import { handBack as handBackToAgents, setMode as setConversationMode } from "./model/modes";
import { boundedPage } from "./model/page";
import { seeConversation } from "./model/readMarks";
import { conversationView, viewConversationFor } from "./model/views";
import { conversationMode } from "./tables/accountRules";

/** Conversations of an account, newest activity first. */
export const list = memberQuery({
  permission: "inbox.read",
  args: {
    accountId: v.id("accounts"),
    archived: v.optional(v.boolean()),
    paginationOpts: paginationOptsValidator,
  },
  returns: paginationResultValidator(conversationView),
  handler: async (ctx, args) => {
    const result = await ctx.db
      .query("conversations")
      .withIndex("by_account_archived_activity", (q) =>
        q.eq("accountId", ctx.account._id).eq("archived", args.archived ?? false),
      )
      .order("desc")
      .paginate(boundedPage(args.paginationOpts));
    const page = await Promise.all(result.page.map((row) => viewConversationFor(ctx, row, ctx.userId)));
    return { ...result, page };
  },
});

export const get = memberQuery({
  permission: "inbox.read",
  args: { accountId: v.id("accounts"), conversationId: v.id("conversations") },
  returns: conversationView,
  handler: async (ctx, args) => {
    const conversation = await requireConversation(ctx, ctx.account._id, args.conversationId);
    return await viewConversationFor(ctx, conversation, ctx.userId);
  },
});

/** The member has looked at the conversation: nothing in it is unread for this member any more. */
export const markSeen = memberMutation({
  permission: "inbox.write",
  args: { accountId: v.id("accounts"), conversationId: v.id("conversations") },
  returns: v.null(),
  handler: async (ctx, args) => {
    const conversation = await requireConversation(ctx, ctx.account._id, args.conversationId);
    await seeConversation(ctx, conversation, ctx.userId, Date.now());
    return null;
  },
});

/** Puts the conversation into the archive or takes it out. A customer who writes again takes it out too. */
export const setArchived = memberMutation({
  permission: "inbox.write",
  args: { accountId: v.id("accounts"), conversationId: v.id("conversations"), archived: v.boolean() },
  returns: v.null(),
  handler: async (ctx, args) => {
    const conversation = await requireConversation(ctx, ctx.account._id, args.conversationId);
    await setConversationArchived(ctx, conversation, args.archived, `user:${ctx.userId}`, Date.now());
    return null;
  },
});

/** Says who writes in the conversation: agents, people only, or no agent for now. */
export const setMode = memberMutation({
  permission: "consent.manage",
  args: { accountId: v.id("accounts"), conversationId: v.id("conversations"), mode: conversationMode },
  returns: v.null(),
  handler: async (ctx, args) => {
    const conversation = await requireConversation(ctx, ctx.account._id, args.conversationId);
    await setConversationMode(ctx, conversation, args.mode, `user:${ctx.userId}`, Date.now());
    return null;
  },
});

/** What agents wrote when they gave the conversation to people, newest first. */
export const handoffs = memberQuery({
  permission: "inbox.read",
  args: { accountId: v.id("accounts"), conversationId: v.id("conversations") },
  returns: v.array(handoffView),
  handler: async (ctx, args) => {
    const conversation = await requireConversation(ctx, ctx.account._id, args.conversationId);
    return await listHandoffs(ctx, conversation._id);
  },
});

/** Timer: the time is over for which a person kept the conversation from agents. */
export const handBack = internalMutation({
  args: { conversationId: v.id("conversations") },
  returns: v.null(),
  handler: async (ctx, args) => {
    await handBackToAgents(ctx, args.conversationId, Date.now());
    return null;
  },
});
