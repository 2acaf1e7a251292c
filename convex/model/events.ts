import { plainBytes, toHex } from "#shared/bytes";
import {
  EVENT_VERSION,
  type EventEnvelope,
  type EventPayload,
  type EventSource,
  type EventType,
  eventText,
  usualSource,
} from "#shared/domain/events";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";

/** 128 bits of the digest name a fact; two facts of one deployment never share them by chance. */
const EVENT_ID_HEX_CHARACTERS = 32;

/** Events of one read: at most 256 KiB each, of the 16 MiB that a transaction may read. */
const EVENTS_PAGE_MAX = 60;

export interface NewEvent {
  accountId: Id<"accounts">;
  type: EventType;
  /** What makes the fact unique among those of its type in the account, such as a wamid. */
  dedupeKey: string;
  conversationId?: Id<"conversations">;
  /** Milliseconds, by the clock of the one who told us. */
  occurredAt: number;
  payload: EventPayload;
  /** Where it differs from the usual one of the type. */
  source?: EventSource;
}

/**
 * Appends a fact to the account's stream, in the transaction that made it a fact. Returns null when it was told
 * before. Numbers have no gaps, because a transaction that fails gives its number back.
 */
export async function appendEvent(ctx: MutationCtx, event: NewEvent): Promise<Id<"webhookEvents"> | null> {
  const { accountId, type, dedupeKey, conversationId, occurredAt, payload } = event;
  const id = await eventIdOf(event);
  const known = await ctx.db
    .query("webhookEvents")
    .withIndex("by_event_id", (q) => q.eq("eventId", id))
    .unique();
  if (known !== null) return null;
  const seq = await nextSeq(ctx, accountId, undefined);
  const conversationSeq = conversationId === undefined ? null : await nextSeq(ctx, accountId, conversationId);
  const body = eventText({
    id,
    type,
    source: event.source ?? usualSource(type),
    occurredAt,
    accountId,
    payload,
    version: EVENT_VERSION,
    seq,
    conversationSeq,
  });
  return await ctx.db.insert("webhookEvents", {
    accountId,
    eventId: id,
    type,
    dedupeKey,
    seq,
    occurredAt,
    body,
    ...(conversationId !== undefined && { conversationId }),
    ...(conversationSeq !== null && { conversationSeq }),
  });
}

/** The next events of an account after a sequence number (0 for the first), in order; at most 60 at once. */
export async function eventsAfter(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  seq: number,
  limit: number,
): Promise<Doc<"webhookEvents">[]> {
  return await ctx.db
    .query("webhookEvents")
    .withIndex("by_account_seq", (q) => q.eq("accountId", accountId).gt("seq", seq))
    .take(Math.min(Math.max(Math.trunc(limit), 1), EVENTS_PAGE_MAX));
}

/** Empties an envelope whose person is erased. Id, type, time and numbers stay, so that no reader misses one. */
export async function redactEvent(ctx: MutationCtx, event: Doc<"webhookEvents">): Promise<void> {
  // Written by `appendEvent` from an envelope, and by nobody else.
  const envelope = JSON.parse(event.body) as EventEnvelope;
  await ctx.db.patch(event._id, { body: eventText({ ...envelope, payload: { redacted: true } }) });
}

/** The latest events of an account, newest first; at most 60. */
export async function newestEvents(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  limit: number,
): Promise<Doc<"webhookEvents">[]> {
  return await ctx.db
    .query("webhookEvents")
    .withIndex("by_account_seq", (q) => q.eq("accountId", accountId))
    .order("desc")
    .take(Math.min(Math.max(Math.trunc(limit), 1), EVENTS_PAGE_MAX));
}

/** The number of the account's latest event; 0 before the first. */
export async function lastSeq(ctx: QueryCtx, accountId: Id<"accounts">): Promise<number> {
  const row = await ctx.db
    .query("accountSequences")
    .withIndex("by_account_conversation", (q) => q.eq("accountId", accountId).eq("conversationId", undefined))
    .unique();
  return row?.eventSeq ?? 0;
}

/** Made from the fact itself, so that the same fact gets the same id after a restore and receivers know it again. */
async function eventIdOf({ accountId, type, dedupeKey }: NewEvent): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", plainBytes(`${accountId}\n${type}\n${dedupeKey}`));
  return `evt_${toHex(digest).slice(0, EVENT_ID_HEX_CHARACTERS)}`;
}

async function nextSeq(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  conversationId: Id<"conversations"> | undefined,
): Promise<number> {
  const row = await ctx.db
    .query("accountSequences")
    .withIndex("by_account_conversation", (q) =>
      q.eq("accountId", accountId).eq("conversationId", conversationId),
    )
    .unique();
  if (row === null) {
    await ctx.db.insert("accountSequences", {
      accountId,
      eventSeq: 1,
      ...(conversationId !== undefined && { conversationId }),
    });
    return 1;
  }
  const seq = row.eventSeq + 1;
  await ctx.db.patch(row._id, { eventSeq: seq });
  return seq;
}
