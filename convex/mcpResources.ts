import { v } from "convex/values";
import { callerQuery } from "./functions";
import { businessNumberView as businessNumber } from "./model/callerNumbers";
import {
  locateMedia,
  readConversationById,
  readNumberMessages,
  readNumbers,
  readPolicy,
} from "./model/mcpResources";
import { keyUsageView } from "./model/rateLimits";
import { callerConversationView, contactView, messageView, refusalView } from "./model/views";
import { pauseReason } from "./tables/accounts";

/** The business numbers that the caller may use. */
export const numbers = callerQuery({
  args: {},
  returns: v.array(
    v.object({
      name: v.string(),
      phoneNumber: v.string(),
      sending: v.union(v.literal("active"), v.literal("paused")),
      pausedFor: v.optional(pauseReason),
      /** Meta's own word. */
      quality: v.optional(v.string()),
    }),
  ),
  handler: async (ctx) => await readNumbers(ctx, ctx.caller),
});

/** What the caller may do, and how much of it is left. */
export const policy = callerQuery({
  args: {},
  returns: v.object({
    scopes: v.array(v.string()),
    numbers: v.array(v.string()),
    sends: keyUsageView,
    expiresAt: v.optional(v.number()),
  }),
  handler: async (ctx) => await readPolicy(ctx, ctx.caller),
});

/** The newest messages of a number, or those that changed after a place in its events. */
export const messages = callerQuery({
  args: { number: v.string(), after: v.optional(v.number()) },
  returns: v.union(
    v.object({
      account: businessNumber,
      messages: v.array(
        v.object({ conversationId: v.id("conversations"), contact: contactView, message: messageView }),
      ),
      seq: v.number(),
      more: v.boolean(),
    }),
    refusalView,
  ),
  handler: async (ctx, args) => await readNumberMessages(ctx, ctx.caller, args),
});

/** A conversation by its id, with its newest messages, oldest of them first. */
export const conversation = callerQuery({
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
  args: { messageId: v.string() },
  returns: v.union(
    v.object({ url: v.string(), mime: v.optional(v.string()), bytes: v.optional(v.number()) }),
    refusalView,
  ),
  handler: async (ctx, { messageId }) => await locateMedia(ctx, ctx.caller, messageId),
});
