import { v } from "convex/values";
import { callerQuery } from "./functions";
import { readEvents } from "./model/callerEvents";
import {
  businessNumberView as businessNumber,
  fromArg as from,
  grantedNumberView,
} from "./model/callerNumbers";
import { readCaller } from "./model/callerUsage";
import { searchContactsForCaller } from "./model/contactSearch";
import { feedView, readFeed } from "./model/messageFeed";
import { searchForCaller, searchHitView } from "./model/messageSearch";
import { readTimeline } from "./model/messageTimeline";
import { keyUsageView } from "./model/rateLimits";
import { readUnanswered } from "./model/unansweredReads";
import { callerConversationView, contactView, messageView, refusalView } from "./model/views";
import { conversationMode } from "./tables/accountRules";
import { confirmAfter } from "./tables/apiKeys";
import { eventType } from "./tables/events";
import { messageError, messageStatus } from "./tables/messages";
import { outboxState } from "./tables/outbox";

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
  tools: ["get_message_status", "get_media"],
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

/** Messages that are new or changed after a place in the events of a number; without one, the newest. */
export const getMessages = callerQuery({
  tools: ["get_messages"],
  args: {
    from,
    /** `seq` of the page before. */
    after: v.optional(v.number()),
    contact: v.optional(v.string()),
    direction: v.optional(v.union(v.literal("inbound"), v.literal("outbound"))),
    limit: v.optional(v.number()),
  },
  returns: v.union(feedView, refusalView),
  handler: async (ctx, args) => await readFeed(ctx, ctx.caller, args),
});

/** What happened in a number's account after a place in its events, in order; without a place, the latest. */
export const listEvents = callerQuery({
  tools: ["list_events"],
  args: {
    from,
    /** `seq` of the page before. */
    after: v.optional(v.number()),
    types: v.optional(v.array(eventType)),
    limit: v.optional(v.number()),
  },
  returns: v.union(
    v.object({
      account: businessNumber,
      /** The envelopes, as webhooks carry them. */
      events: v.array(v.string()),
      seq: v.number(),
      more: v.boolean(),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await readEvents(ctx, ctx.caller, args),
});

/** What the key is, which numbers it may use and how much of its limits is left. */
export const getUsage = callerQuery({
  // About the key itself; and every tool asks it which numbers there are.
  tools: "any",
  args: {},
  returns: v.object({
    name: v.string(),
    scopes: v.array(v.string()),
    numbers: v.array(grantedNumberView),
    sends: keyUsageView,
    confirmAfter,
    expiresAt: v.optional(v.number()),
  }),
  handler: async (ctx) => await readCaller(ctx, ctx.caller),
});
