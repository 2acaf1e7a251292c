import { v } from "convex/values";
import { callerMutation, callerQuery } from "./functions";
import { readConversation, readConversations, readOutcome, readTemplates } from "./model/callerReads";
import { enqueueForCaller } from "./model/callerSends";
import { templateFilter, templateView } from "./model/templateReads";
import { callerConversationView, messageView, outcomeView, pendingView, refusalView } from "./model/views";

/** Which of the key's business numbers; needed only when it may use several. Phone number or phone number id. */
const from = v.optional(v.string());

const businessNumber = v.object({ accountId: v.id("accounts"), name: v.string(), phoneNumber: v.string() });

/** Conversations of one business number, newest activity first. */
export const listConversations = callerQuery({
  args: {
    from,
    limit: v.optional(v.number()),
    cursor: v.optional(v.string()),
    archived: v.optional(v.boolean()),
  },
  returns: v.union(
    v.object({
      account: businessNumber,
      conversations: v.array(callerConversationView),
      nextCursor: v.union(v.string(), v.null()),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await readConversations(ctx, ctx.caller, args),
});

/** One conversation with a page of its messages, oldest first; `before` is the `nextCursor` of a later page. */
export const getConversation = callerQuery({
  args: {
    from,
    /** Phone number in any spelling, @username, contact id or business-scoped user id. */
    contact: v.string(),
    limit: v.optional(v.number()),
    before: v.optional(v.string()),
  },
  returns: v.union(
    v.object({
      account: businessNumber,
      conversation: callerConversationView,
      messages: v.array(messageView),
      nextCursor: v.union(v.string(), v.null()),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await readConversation(ctx, ctx.caller, args),
});

/** Templates of one business number, filtered, with what each needs to be filled in. */
export const listTemplates = callerQuery({
  args: { from, ...templateFilter, limit: v.optional(v.number()), cursor: v.optional(v.string()) },
  returns: v.union(
    v.object({
      account: businessNumber,
      templates: v.array(templateView),
      nextCursor: v.union(v.string(), v.null()),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await readTemplates(ctx, ctx.caller, args),
});

/** Takes a text for sending, or with `validateOnly` says whether it would be taken. */
export const sendText = callerMutation({
  args: {
    from,
    contact: v.string(),
    text: v.string(),
    /** Id (ours or Meta's) of the message that is quoted. */
    replyTo: v.optional(v.string()),
    clientRequestId: v.optional(v.string()),
    validateOnly: v.optional(v.boolean()),
  },
  returns: v.union(
    pendingView,
    v.object({
      valid: v.literal(true),
      conversationId: v.id("conversations"),
      windowExpiresAt: v.optional(v.number()),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await enqueueForCaller(ctx, ctx.caller, args, Date.now()),
});

/** How a send went so far. Subscribe to it, or ask again while it says "pending". */
export const sendOutcome = callerQuery({
  args: { messageId: v.id("messages") },
  returns: v.union(
    v.object({
      outcome: outcomeView,
      message_id: v.id("messages"),
      wamid: v.optional(v.string()),
      error: v.optional(v.object({ code: v.string(), message: v.string() })),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await readOutcome(ctx, ctx.caller, args.messageId),
});
