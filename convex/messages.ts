import { paginationOptsValidator, paginationResultValidator } from "convex/server";
import { v } from "convex/values";
import { memberMutation, memberQuery } from "./functions";
import { requireConversation } from "./model/conversations";
import { enqueueText } from "./model/outbox";
import { boundedPage } from "./model/page";
import { personAsPrincipal } from "./model/principal";
import { messageView, pendingView, refusalView, viewMessage } from "./model/views";

/** Messages of a conversation, newest first. */
export const list = memberQuery({
  permission: "inbox.read",
  args: {
    accountId: v.id("accounts"),
    conversationId: v.id("conversations"),
    paginationOpts: paginationOptsValidator,
  },
  returns: paginationResultValidator(messageView),
  handler: async (ctx, args) => {
    const conversation = await requireConversation(ctx, ctx.account._id, args.conversationId);
    const result = await ctx.db
      .query("messages")
      .withIndex("by_conversation_order", (q) => q.eq("conversationId", conversation._id))
      .order("desc")
      .paginate(boundedPage(args.paginationOpts));
    const page = await Promise.all(result.page.map((row) => viewMessage(ctx, row, { withMediaUrl: true })));
    return { ...result, page };
  },
});

/** Takes a text for sending. The answer says that it is on its way; the message's status tells how it went. */
export const sendText = memberMutation({
  permission: "messages.send",
  args: {
    accountId: v.id("accounts"),
    conversationId: v.id("conversations"),
    text: v.string(),
    /** Made when the draft is opened, so that a double click is one message. */
    clientRequestId: v.string(),
    replyToMessageId: v.optional(v.id("messages")),
  },
  returns: v.union(pendingView, refusalView),
  handler: async (ctx, args) => {
    const conversation = await requireConversation(ctx, ctx.account._id, args.conversationId);
    return await enqueueText(ctx, {
      principal: await personAsPrincipal(ctx, ctx.userId),
      account: ctx.account,
      recipient: { kind: "conversation", conversation },
      text: args.text,
      clientRequestId: args.clientRequestId,
      ...(args.replyToMessageId !== undefined && { replyTo: args.replyToMessageId }),
      now: Date.now(),
    });
  },
});
