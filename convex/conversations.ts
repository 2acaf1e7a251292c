import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { memberMutation, memberQuery } from "./functions";
import { markSeen as markConversationSeen, requireConversation } from "./model/conversations";
import { boundedPage } from "./model/page";
import { conversationView, viewConversationFor } from "./model/views";

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
    await markConversationSeen(ctx, conversation, ctx.userId, Date.now());
    return null;
  },
});
