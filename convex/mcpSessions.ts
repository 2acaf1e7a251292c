import { v } from "convex/values";
import { internal } from "./_generated/api";
import { callerMutation, callerQuery, internalMutation } from "./functions";
import { resourceRef } from "./model/mcpPush";
import {
  endSession,
  readSession,
  removeExpiredSessions,
  subscribeSession,
  unsubscribeSession,
} from "./model/mcpSessions";
import { refusalView } from "./model/views";
import { mcpSubscription } from "./tables/mcpSessions";

/**
 * The session as the app opened it: its id and the end of its signature (ms). Sessions are for every key (`tools: "any"`):
 * they carry no contents, and what one is told about, each resource asks a tool for (`shared/domain/resource-access`).
 */
const session = { sessionId: v.string(), expiresAt: v.number() };

export const subscribe = callerMutation({
  tools: "any",
  args: { ...session, uri: v.string(), resource: resourceRef },
  returns: v.union(v.null(), refusalView),
  handler: async (ctx, { uri, resource, ...opened }) =>
    await subscribeSession(ctx, ctx.caller, opened, { uri, resource }),
});

export const unsubscribe = callerMutation({
  tools: "any",
  args: { sessionId: v.string(), uri: v.string() },
  returns: v.null(),
  handler: async (ctx, { sessionId, uri }) => {
    await unsubscribeSession(ctx, ctx.caller, sessionId, uri);
    return null;
  },
});

/** The client says goodbye; from now on the session's id is refused. */
export const end = callerMutation({
  tools: "any",
  args: session,
  returns: v.null(),
  handler: async (ctx, opened) => {
    await endSession(ctx, ctx.caller, opened, Date.now());
    return null;
  },
});

/** What the stream of a session has to tell about; subscribed to by the process that holds the stream. */
export const read = callerQuery({
  tools: "any",
  args: { sessionId: v.string() },
  returns: v.object({ ended: v.boolean(), subscriptions: v.array(mcpSubscription) }),
  handler: async (ctx, { sessionId }) => await readSession(ctx, ctx.caller, sessionId),
});

/** Cron: removes sessions that are past their time. */
export const prune = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    if (await removeExpiredSessions(ctx, Date.now())) {
      await ctx.scheduler.runAfter(0, internal.mcpSessions.prune, {});
    }
    return null;
  },
});
