import { type Refusal, refusal } from "#shared/errors";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { Caller } from "./identity";
import { locateResource, type ResourceRef, SUBSCRIPTIONS_MAX } from "./mcpPush";
import { principalKey } from "./principal";

/** Sessions that one run removes. */
const BATCH_ROWS_MAX = 500;

interface Session {
  sessionId: string;
  /** When the app's signature of the id ends (ms). */
  expiresAt: number;
}

/**
 * Notes that the session wants to hear about a resource, from the present place of the events on. A resource that the
 * caller may not read is `not_found`, like one that is not there. Subscribing twice changes nothing.
 */
export async function subscribeSession(
  ctx: MutationCtx,
  caller: Caller,
  { sessionId, expiresAt }: Session,
  { uri, resource }: { uri: string; resource: ResourceRef },
): Promise<Refusal | null> {
  const accounts = await locateResource(ctx, caller, resource);
  const row = await findSession(ctx, caller, sessionId);
  if (accounts === null || row === "foreign" || row?.endedAt !== undefined) return refusal("not_found");
  if (row === null) {
    const principal = principalKey({ kind: "key", key: caller.key });
    const subscriptions = [{ uri, accounts }];
    await ctx.db.insert("mcpSessions", { sessionId, principal, subscriptions, expiresAt });
    return null;
  }
  if (row.subscriptions.some((known) => known.uri === uri)) return null;
  if (row.subscriptions.length >= SUBSCRIPTIONS_MAX) {
    return refusal("cap_reached", { say: `A session has at most ${SUBSCRIPTIONS_MAX} subscriptions.` });
  }
  await ctx.db.patch(row._id, { subscriptions: [...row.subscriptions, { uri, accounts }] });
  return null;
}

/** Takes a subscription back; one that is not there changes nothing. */
export async function unsubscribeSession(
  ctx: MutationCtx,
  caller: Caller,
  sessionId: string,
  uri: string,
): Promise<void> {
  const row = await findSession(ctx, caller, sessionId);
  if (row === null || row === "foreign") return;
  await ctx.db.patch(row._id, { subscriptions: row.subscriptions.filter((known) => known.uri !== uri) });
}

/** Ends a session for good; its id is not taken again, although its signature still holds. */
export async function endSession(
  ctx: MutationCtx,
  caller: Caller,
  { sessionId, expiresAt }: Session,
  now: number,
): Promise<void> {
  const row = await findSession(ctx, caller, sessionId);
  if (row === "foreign") return;
  if (row !== null) {
    await ctx.db.patch(row._id, { subscriptions: [], endedAt: row.endedAt ?? now });
    return;
  }
  const principal = principalKey({ kind: "key", key: caller.key });
  await ctx.db.insert("mcpSessions", { sessionId, principal, subscriptions: [], endedAt: now, expiresAt });
}

/** What a session is subscribed to, and whether it was ended. A session without a row is open and has nothing. */
export async function readSession(ctx: QueryCtx, caller: Caller, sessionId: string) {
  const row = await findSession(ctx, caller, sessionId);
  if (row === null) return { ended: false, subscriptions: [] };
  if (row === "foreign") return { ended: true, subscriptions: [] };
  return { ended: row.endedAt !== undefined, subscriptions: row.subscriptions };
}

/** Removes sessions that are past their time. Returns whether there may be more. */
export async function removeExpiredSessions(ctx: MutationCtx, now: number): Promise<boolean> {
  const rows = await ctx.db
    .query("mcpSessions")
    .withIndex("by_expires_at", (q) => q.lt("expiresAt", now))
    .take(BATCH_ROWS_MAX);
  for (const row of rows) await ctx.db.delete(row._id);
  return rows.length === BATCH_ROWS_MAX;
}

async function findSession(
  ctx: QueryCtx,
  caller: Caller,
  sessionId: string,
): Promise<Doc<"mcpSessions"> | null | "foreign"> {
  const row = await ctx.db
    .query("mcpSessions")
    .withIndex("by_session", (q) => q.eq("sessionId", sessionId))
    .unique();
  if (row === null) return null;
  return row.principal === principalKey({ kind: "key", key: caller.key }) ? row : "foreign";
}
