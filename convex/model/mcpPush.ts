import { type Infer, v } from "convex/values";
import { defined } from "#shared/defined";
import { mayReadResource, RESOURCE_KINDS, type ResourceKind } from "#shared/domain/resource-access";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { findByNumber } from "./accounts";
import { fail } from "./errors";
import { eventsAfter, lastSeq } from "./events";
import type { Caller } from "./identity";
import { messageIdOf } from "./messageEvents";

/** A resource of an MCP client, as its URI names it: a business number, or the id of a conversation or message. */
export const resourceRef = v.object({
  kind: v.union(...RESOURCE_KINDS.map((kind) => v.literal(kind))),
  /** Absent for the two that there is one of. */
  ref: v.optional(v.string()),
});
export type ResourceRef = Infer<typeof resourceRef>;

/** An account whose events concern a resource, and the number of its latest event. */
export interface Place {
  accountId: Id<"accounts">;
  seq: number;
}

/** Resources that one stream or session may subscribe to; an inbox of an agent needs a handful. */
export const SUBSCRIPTIONS_MAX = 100;

/** Events that one look at the stream returns; a stream that is further behind looks again. */
const CHANGES_PAGE_MAX = 60;

/**
 * Everything that a stream's rights hang on, as one text: a stream ends when it changes, or when it cannot be read any
 * more because the key is revoked or expired.
 */
export function rightsOf({ key, scopes, grantedAccountIds }: Caller): string {
  const { tools, direction, sendsPerMinute, sendsPerDay, expiresAt, confirmAfter } = key;
  return JSON.stringify([
    [...scopes].sort(),
    [...grantedAccountIds].sort(),
    tools,
    direction,
    sendsPerMinute,
    sendsPerDay,
    expiresAt,
    confirmAfter,
  ]);
}

/**
 * The places of the resources in the order in which they are named; null for what the caller may not read. Throws
 * `invalid_request` for more than a stream may have.
 */
export async function locateResources(
  ctx: QueryCtx,
  caller: Caller,
  resources: readonly ResourceRef[],
): Promise<(Place[] | null)[]> {
  if (resources.length > SUBSCRIPTIONS_MAX) fail("invalid_request", { field: "resources" });
  return await Promise.all(resources.map((resource) => locateResource(ctx, caller, resource)));
}

/**
 * Where the events of a resource stand, or null for a resource that the caller may not read; what is not there and
 * what is another's are both null.
 */
export async function locateResource(
  ctx: QueryCtx,
  caller: Caller,
  resource: ResourceRef,
): Promise<Place[] | null> {
  const accountIds = await accountsBehind(ctx, caller, resource);
  if (accountIds === null) return null;
  return await Promise.all(
    accountIds.map(async (accountId) => ({ accountId, seq: await lastSeq(ctx, accountId) })),
  );
}

async function accountsBehind(
  ctx: QueryCtx,
  caller: Caller,
  { kind, ref = "" }: ResourceRef,
): Promise<readonly Id<"accounts">[] | null> {
  if (!mayRead(caller, kind)) return null;
  const granted = (account: Doc<"accounts"> | null) =>
    account !== null && account.state === "active" && caller.grantedAccountIds.includes(account._id)
      ? [account._id]
      : null;
  switch (kind) {
    case "policy":
      return [];
    case "accounts":
      return caller.grantedAccountIds;
    case "templates":
    case "messages":
      return granted(await findByNumber(ctx, ref));
    case "conversation":
    case "media": {
      const accountId = await accountOf(ctx, kind, ref);
      return accountId === null ? null : granted(await ctx.db.get(accountId));
    }
  }
}

const mayRead = ({ scopes, key: { tools, direction } }: Caller, kind: ResourceKind): boolean =>
  mayReadResource({ scopes, tools, direction }, kind);

async function accountOf(
  ctx: QueryCtx,
  kind: "conversation" | "media",
  ref: string,
): Promise<Id<"accounts"> | null> {
  if (kind === "conversation") {
    const id = ctx.db.normalizeId("conversations", ref);
    return id === null ? null : ((await ctx.db.get(id))?.accountId ?? null);
  }
  const id = ctx.db.normalizeId("messages", ref);
  const message = id === null ? null : await ctx.db.get(id);
  return message?.media === undefined ? null : message.accountId;
}

/** Kinds whose streams ask which conversation or message an event is about. */
const ABOUT_MESSAGES: readonly ResourceKind[] = ["messages", "conversation", "media"];

/**
 * What happened in an account after a place in its events, in order. An account that the caller may not use any more
 * has no events, and its stream ends by `rightsOf`. Who may not read messages is not told which ones.
 */
export async function readChanges(ctx: QueryCtx, caller: Caller, accountId: Id<"accounts">, after: number) {
  if (!caller.grantedAccountIds.includes(accountId)) return [];
  const events = await eventsAfter(ctx, accountId, after, CHANGES_PAGE_MAX);
  const isNamed = ABOUT_MESSAGES.some((kind) => mayRead(caller, kind));
  return events.map((event) => ({
    seq: event.seq,
    type: event.type,
    ...(isNamed && defined({ conversationId: event.conversationId, messageId: messageIdOf(event) })),
  }));
}
