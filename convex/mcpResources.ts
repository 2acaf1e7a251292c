import { v } from "convex/values";
import { callerQuery } from "./functions";
import { businessNumberView as businessNumber, grantedNumberView } from "./model/callerNumbers";
import { readNumbers } from "./model/callerUsage";
import { locateMedia, readConversationById } from "./model/mcpResources";
import { feedView, readFeed } from "./model/messageFeed";
import { callerConversationView, messageView, refusalView } from "./model/views";

/** The business numbers that the caller may use. */
export const numbers = callerQuery({
  // Every tool is used with one of them.
  tools: "any",
  args: {},
  returns: v.array(grantedNumberView),
  handler: async (ctx) => await readNumbers(ctx, ctx.caller),
});

/** The newest messages of a number, or those that changed after a place in its events. */
export const messages = callerQuery({
  tools: ["get_messages"],
  args: { number: v.string(), after: v.optional(v.number()), limit: v.optional(v.number()) },
  returns: v.union(feedView, refusalView),
  handler: async (ctx, { number, ...page }) => await readFeed(ctx, ctx.caller, { from: number, ...page }),
});

/** A conversation by its id, with its newest messages, oldest of them first. */
export const conversation = callerQuery({
  tools: ["get_conversation"],
  args: { id: v.string(), limit: v.number() },
  returns: v.union(
    v.object({
      account: businessNumber,
      conversation: callerConversationView,
      messages: v.array(messageView),
      nextCursor: v.union(v.string(), v.null()),
    }),
    refusalView,
  ),
  handler: async (ctx, { id, limit }) => await readConversationById(ctx, ctx.caller, id, limit),
});

/** Where the app finds the file of a message. */
export const media = callerQuery({
  tools: ["get_media"],
  args: { messageId: v.string() },
  returns: v.union(
    v.object({ url: v.string(), mime: v.optional(v.string()), bytes: v.optional(v.number()) }),
    refusalView,
  ),
  handler: async (ctx, { messageId }) => await locateMedia(ctx, ctx.caller, messageId),
});
