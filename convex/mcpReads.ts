import { v } from "convex/values";
import { callerQuery } from "./functions";
import { searchContactsForCaller } from "./model/contactSearch";
import { searchForCaller, searchHitView } from "./model/messageSearch";
import { readTimeline } from "./model/messageTimeline";
import { readUnanswered } from "./model/unansweredReads";
import { callerConversationView, contactView, messageView, refusalView } from "./model/views";
import { conversationMode } from "./tables/accountRules";
import { messageError, messageStatus } from "./tables/messages";
import { outboxState } from "./tables/outbox";

/** Which of the key's business numbers; needed only when it may use several. Phone number or phone number id. */
const from = v.optional(v.string());

const businessNumber = v.object({ accountId: v.id("accounts"), name: v.string(), phoneNumber: v.string() });

/** Conversations in which the customer waits for an answer, the longest waiting first. */
export const listUnanswered = callerQuery({
  tools: ["list_unanswered"],
  args: {
    from,
    /** Only those who wait since this moment (ms) or longer. */
    since: v.optional(v.number()),
    limit: v.optional(v.number()),
    cursor: v.optional(v.string()),
  },
  returns: v.union(
    v.object({
      account: businessNumber,
      conversations: v.array(callerConversationView),
      nextCursor: v.union(v.string(), v.null()),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await readUnanswered(ctx, ctx.caller, args),
});

/** Messages of one business number that a query finds (`shared/domain/search-query`), the latest first. */
export const searchMessages = callerQuery({
  tools: ["search_messages"],
  args: { from, query: v.string(), limit: v.optional(v.number()), cursor: v.optional(v.string()) },
  returns: v.union(
    v.object({
      account: businessNumber,
      hits: v.array(searchHitView),
      nextCursor: v.union(v.string(), v.null()),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await searchForCaller(ctx, ctx.caller, args),
});

/** Customers whose name, number, @username or id is alike. */
export const searchContacts = callerQuery({
  tools: ["search_contacts"],
  args: { from, query: v.string(), limit: v.optional(v.number()) },
  returns: v.union(
    v.object({
      account: businessNumber,
      contacts: v.array(
        v.object({
          contact: contactView,
          mode: v.optional(conversationMode),
          lastMessageAt: v.optional(v.number()),
          windowExpiresAt: v.optional(v.number()),
        }),
      ),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await searchContactsForCaller(ctx, ctx.caller, args),
});

/** How far a message has come, named by its id, by Meta's, or by the `clientRequestId` that the key gave it. */
export const getMessageStatus = callerQuery({
  tools: ["get_message_status"],
  args: { from, message: v.optional(v.string()), clientRequestId: v.optional(v.string()) },
  returns: v.union(
    v.object({
      message: messageView,
      steps: v.array(v.object({ status: messageStatus, at: v.number() })),
      /** Of a reaction, which has no message of its own. */
      reaction: v.optional(v.object({ state: outboxState, error: v.optional(messageError) })),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await readTimeline(ctx, ctx.caller, args),
});
