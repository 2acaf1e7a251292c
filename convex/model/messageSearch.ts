import { v } from "convex/values";
import { fitsQuery, parseSearchQuery, type SearchQuery, snippetOf } from "#shared/domain/search-query";
import { refusal } from "#shared/errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { messagesBefore, requireCursor, viewNumber } from "./callerReads";
import { findContact } from "./contacts";
import { findConversationOf } from "./conversations";
import { formatCursor, type Place } from "./cursor";
import { fail } from "./errors";
import { grantNumber } from "./grants";
import type { Caller } from "./identity";
import { messagePreview } from "./messages";
import { contactView, messageView, viewConversation, viewMessage } from "./views";

/** Best matches of the index that one search looks at; whoever needs more needs better words. */
const MATCHES_MAX = 200;

/** Messages of a conversation that one page looks at when nothing but operators was given; the cursor goes on. */
const SCAN_ROWS_MAX = 200;

/** Hits of one page: each costs reads of its neighbours. */
const HITS_MAX = 25;
const HITS_DEFAULT = 10;

const neighbourView = v.object({
  messageId: v.id("messages"),
  direction: v.union(v.literal("inbound"), v.literal("outbound")),
  preview: v.string(),
});

export const searchHitView = v.object({
  contact: contactView,
  message: messageView,
  /** One line around the words that were found. */
  snippet: v.string(),
  /** The messages that stand before and after it in the conversation. */
  before: v.optional(neighbourView),
  after: v.optional(neighbourView),
});

export interface SearchRequest {
  from?: string;
  query: string;
  limit?: number;
  cursor?: string;
}

/**
 * One page of the messages of a number that a query finds, the latest first. With words the index is asked; with
 * operators alone one conversation is gone through, so it has to be named. Messages that were taken back are not
 * found. Throws `invalid_request`, with the reason, for a query or a cursor that cannot be read.
 */
export async function searchForCaller(ctx: QueryCtx, caller: Caller, args: SearchRequest) {
  const granted = await grantNumber(ctx, caller, "messages:read", args.from);
  if (granted.refused) return granted;
  const { account } = granted;
  const parsed = parseSearchQuery(args.query);
  if (!parsed.ok) fail("invalid_request", { field: "query", say: parsed.problem });
  const { query } = parsed;
  const after = args.cursor === undefined ? null : requireCursor(args.cursor, "cursor");
  const conversation = await namedConversation(ctx, account._id, query);
  if (conversation === "absent") return refusal("not_found");
  const limit = Math.min(Math.max(Math.trunc(args.limit ?? HITS_DEFAULT), 1), HITS_MAX);
  const found =
    query.words !== ""
      ? await matchesAfter(ctx, account._id, conversation, query, after, limit)
      : await scanAfter(ctx, conversation ?? namelessScan(), query, after, limit);
  return {
    account: viewNumber(account),
    hits: await Promise.all(found.rows.map((row) => viewHit(ctx, row, query))),
    nextCursor: found.next === null ? null : formatCursor(found.next),
  };
}

function namelessScan(): never {
  return fail("invalid_request", {
    field: "query",
    say: "Give at least one word to look for, or name a conversation with in: or from:.",
  });
}

/** The conversation that `in:` or `from:` names; null when the query names none. */
async function namedConversation(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  query: SearchQuery,
): Promise<Doc<"conversations"> | null | "absent"> {
  const author = query.from !== undefined && "contact" in query.from ? [query.from.contact] : [];
  const names = [...(query.in === undefined ? [] : [query.in]), ...author];
  const found = await Promise.all(names.map((name) => findContact(ctx, accountId, name)));
  const [first] = found;
  if (first === undefined) return null;
  if (first === null || found.some((contact) => contact?._id !== first._id)) return "absent";
  return (await findConversationOf(ctx, first)) ?? "absent";
}

type Found = { rows: Doc<"messages">[]; next: Place | null };

async function matchesAfter(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  conversation: Doc<"conversations"> | null,
  query: SearchQuery,
  after: Place | null,
  limit: number,
): Promise<Found> {
  const matches = await ctx.db
    .query("messages")
    .withSearchIndex("search_text", (q) => {
      const own = q.search("searchText", query.words).eq("accountId", accountId);
      return conversation === null ? own : own.eq("conversationId", conversation._id);
    })
    .take(MATCHES_MAX);
  const hits = matches.filter((row) => isHit(row, query));
  const complete = hits.filter((row) => hasAllWords(row.searchText ?? "", query.words));
  const rows = (complete.length > 0 ? complete : hits)
    .filter((row) => after === null || isOlder(row, after))
    .sort((a, b) => b.sortAt - a.sortAt || b._creationTime - a._creationTime);
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return { rows: page, next: last ? { first: last.sortAt, second: last._creationTime } : null };
}

/** The index finds messages with any of the words; those with all of them are meant, where there are such. */
function hasAllWords(text: string, words: string): boolean {
  const haystack = text.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}

function isOlder(row: Doc<"messages">, { first, second }: Place): boolean {
  return row.sortAt < first || (row.sortAt === first && row._creationTime < second);
}

async function scanAfter(
  ctx: QueryCtx,
  conversation: Doc<"conversations">,
  query: SearchQuery,
  after: Place | null,
  limit: number,
): Promise<Found> {
  const scanned = await messagesBefore(ctx, conversation._id, after, SCAN_ROWS_MAX);
  const page: Doc<"messages">[] = [];
  for (const [index, row] of scanned.entries()) {
    if (isHit(row, query)) page.push(row);
    if (page.length === limit && index + 1 < scanned.length) return { rows: page, next: placeOf(row) };
  }
  const last = scanned.length === SCAN_ROWS_MAX ? scanned.at(-1) : undefined;
  return { rows: page, next: last ? placeOf(last) : null };
}

const placeOf = ({ sortAt, seq }: Doc<"messages">): Place => ({ first: sortAt, second: seq });

function isHit(row: Doc<"messages">, query: SearchQuery): boolean {
  const { type, direction, timestamp, searchText = "", media, revokedAt } = row;
  return (
    revokedAt === undefined &&
    fitsQuery(query, { type, direction, timestamp, text: searchText, media: media !== undefined })
  );
}

async function viewHit(ctx: QueryCtx, row: Doc<"messages">, query: SearchQuery) {
  const conversation = await ctx.db.get(row.conversationId);
  if (conversation === null) throw new Error(`Message ${row._id} has lost its conversation.`);
  const [{ contact }, message, before, after] = await Promise.all([
    viewConversation(ctx, conversation),
    viewMessage(ctx, row),
    neighbour(ctx, row, "desc"),
    neighbour(ctx, row, "asc"),
  ]);
  return {
    contact,
    message,
    snippet: snippetOf(row.searchText ?? messagePreview(row), query.words),
    ...(before !== null && { before }),
    ...(after !== null && { after }),
  };
}

/** The message next to this one in its conversation, earlier (`desc`) or later. */
async function neighbour(ctx: QueryCtx, row: Doc<"messages">, order: "asc" | "desc") {
  const { conversationId, sortAt, seq } = row;
  const sameMoment = await ctx.db
    .query("messages")
    .withIndex("by_conversation_order", (q) => {
      const all = q.eq("conversationId", conversationId).eq("sortAt", sortAt);
      return order === "desc" ? all.lt("seq", seq) : all.gt("seq", seq);
    })
    .order(order)
    .first();
  const found =
    sameMoment ??
    (await ctx.db
      .query("messages")
      .withIndex("by_conversation_order", (q) => {
        const all = q.eq("conversationId", conversationId);
        return order === "desc" ? all.lt("sortAt", sortAt) : all.gt("sortAt", sortAt);
      })
      .order(order)
      .first());
  if (found === null) return null;
  return { messageId: found._id, direction: found.direction, preview: messagePreview(found) };
}
