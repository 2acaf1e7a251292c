import { v } from "convex/values";
import { callerQuery } from "./functions";
import { locateResources, readChanges, resourceRef, rightsOf } from "./model/mcpPush";
import { eventType } from "./tables/events";

const place = v.object({ accountId: v.id("accounts"), seq: v.number() });

/** What the caller's streams live on; they end when it changes or cannot be read. */
export const rights = callerQuery({
  // About the key itself.
  tools: "any",
  args: {},
  returns: v.string(),
  handler: async (ctx) => rightsOf(ctx.caller),
});

/** Where the events of each resource stand now, null for what the caller may not read, and the rights of now. */
export const locate = callerQuery({
  // Each resource asks for the tool that gives the same (`shared/domain/resource-access`).
  tools: "any",
  args: { resources: v.array(resourceRef) },
  returns: v.object({ rights: v.string(), places: v.array(v.union(v.null(), v.array(place))) }),
  handler: async (ctx, { resources }) => ({
    rights: rightsOf(ctx.caller),
    places: await locateResources(ctx, ctx.caller, resources),
  }),
});

/** What happened in an account after event number `after`. Subscribed to while somebody listens. */
export const changes = callerQuery({
  // Streams about the numbers, which every key may have, live on it; who may not read messages is named none.
  tools: "any",
  args: { accountId: v.id("accounts"), after: v.number() },
  returns: v.array(
    v.object({
      seq: v.number(),
      type: eventType,
      conversationId: v.optional(v.id("conversations")),
      messageId: v.optional(v.string()),
    }),
  ),
  handler: async (ctx, { accountId, after }) => await readChanges(ctx, ctx.caller, accountId, after),
});
