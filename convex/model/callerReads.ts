import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { grantConversation } from "./callerConversations";
import { formatCursor, type Place, parseCursor } from "./cursor";
import { fail } from "./errors";
import { grantNumber } from "./grants";
import type { Caller } from "./identity";
import { boundedRows } from "./page";
import { listTemplates, type TemplateFilter } from "./templateReads";
import { viewConversation, viewMessage } from "./views";

/** A business number as doors return it. */
export function viewNumber({ _id, name, phoneNumber }: Doc<"accounts">) {
  return { accountId: _id, name, phoneNumber };
}

/** One page of conversations, newest activity first. Throws `invalid_request` for a cursor that is none of ours. */
export async function readConversations(
  ctx: QueryCtx,
  caller: Caller,
  args: { from?: string; limit?: number; cursor?: string; archived?: boolean },
) {
  const granted = await grantNumber(ctx, caller, "conversations:read", args.from);
  if (granted.refused) return granted;
  const limit = boundedRows(args.limit);
  const after = args.cursor === undefined ? null : requireCursor(args.cursor, "cursor");
  const rows = await conversationsAfter(ctx, granted.account._id, args.archived ?? false, after, limit + 1);
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return {
    account: viewNumber(granted.account),
    conversations: await Promise.all(page.map((row) => viewConversation(ctx, row))),
    nextCursor: last ? formatCursor({ first: last.lastMessageAt, second: last._creationTime }) : null,
  };
}

async function conversationsAfter(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  archived: boolean,
  after: Place | null,
  rows: number,
): Promise<Doc<"conversations">[]> {
  const newestFirst = (start: Place | null, sameMoment: boolean, count: number) =>
    ctx.db
      .query("conversations")
      .withIndex("by_account_archived_activity", (q) => {
        const all = q.eq("accountId", accountId).eq("archived", archived);
        if (start === null) return all;
        return sameMoment
          ? all.eq("lastMessageAt", start.first).lt("_creationTime", start.second)
          : all.lt("lastMessageAt", start.first);
      })
      .order("desc")
      .take(count);
  if (after === null) return await newestFirst(null, false, rows);
  const sameMoment = await newestFirst(after, true, rows);
  if (sameMoment.length === rows) return sameMoment;
  return [...sameMoment, ...(await newestFirst(after, false, rows - sameMoment.length))];
}

/** One conversation with the newest page of its messages, or the page before a cursor; oldest first within the page. */
export async function readConversation(
  ctx: QueryCtx,
  caller: Caller,
  args: { from?: string; contact: string; limit?: number; before?: string },
) {
  const granted = await grantConversation(ctx, caller, "messages:read", args);
  if (granted.refused) return granted;
  const { conversation } = granted;
  const limit = boundedRows(args.limit);
  const before = args.before === undefined ? null : requireCursor(args.before, "before");
  const rows = await messagesBefore(ctx, conversation._id, before, limit + 1);
  const page = rows.slice(0, limit);
  const oldest = rows.length > limit ? page.at(-1) : undefined;
  const views = await Promise.all(page.map((row) => viewMessage(ctx, row)));
  return {
    account: viewNumber(granted.account),
    conversation: await viewConversation(ctx, conversation),
    messages: views.reverse(),
    nextCursor: oldest ? formatCursor({ first: oldest.sortAt, second: oldest.seq }) : null,
  };
}

/** The newest messages of a conversation, or those before a place in it; newest first. */
export async function messagesBefore(
  ctx: QueryCtx,
  conversationId: Id<"conversations">,
  before: Place | null,
  rows: number,
): Promise<Doc<"messages">[]> {
  const newestFirst = (start: Place | null, sameMoment: boolean, count: number) =>
    ctx.db
      .query("messages")
      .withIndex("by_conversation_order", (q) => {
        const all = q.eq("conversationId", conversationId);
        if (start === null) return all;
        return sameMoment
          ? all.eq("sortAt", start.first).lt("seq", start.second)
          : all.lt("sortAt", start.first);
      })
      .order("desc")
      .take(count);
  if (before === null) return await newestFirst(null, false, rows);
  const sameMoment = await newestFirst(before, true, rows);
  if (sameMoment.length === rows) return sameMoment;
  return [...sameMoment, ...(await newestFirst(before, false, rows - sameMoment.length))];
}

/** The place that a cursor names. Throws `invalid_request` when it is none of ours. */
export function requireCursor(text: string, field: string): Place {
  return parseCursor(text) ?? fail("invalid_request", { field, say: "This cursor is not one of ours." });
}

/** One page of the templates of a number. Throws `invalid_request` for a cursor that is none of ours. */
export async function readTemplates(
  ctx: QueryCtx,
  caller: Caller,
  args: TemplateFilter & { from?: string; limit?: number; cursor?: string },
) {
  const granted = await grantNumber(ctx, caller, "templates:read", args.from);
  if (granted.refused) return granted;
  const { from: _, ...filter } = args;
  return {
    account: viewNumber(granted.account),
    ...(await listTemplates(ctx, granted.account._id, filter)),
  };
}
