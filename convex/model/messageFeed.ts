import { v } from "convex/values";
import { refusal } from "#shared/errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { businessNumberView } from "./callerNumbers";
import { viewNumber } from "./callerReads";
import { findContact } from "./contacts";
import { findConversationOf } from "./conversations";
import { eventsAfter, newestEvents } from "./events";
import { grantNumber } from "./grants";
import type { Caller } from "./identity";
import { messageIdOf } from "./messageEvents";
import { boundedRows } from "./page";
import { contactView, messageView, viewConversation, viewMessage } from "./views";

/** Events that one read looks at; many of them may be about other things than messages. */
const EVENTS_READ_MAX = 60;

/** A page of the feed. */
export const feedView = v.object({
  account: businessNumberView,
  messages: v.array(
    v.object({ conversationId: v.id("conversations"), contact: contactView, message: messageView }),
  ),
  /** Where to go on from. */
  seq: v.number(),
  more: v.boolean(),
});

export interface FeedRequest {
  from?: string;
  /** Number of the last event that was read (`seq` of the page before); without it, the newest. */
  after?: number;
  contact?: string;
  direction?: "inbound" | "outbound";
  limit?: number;
}

/**
 * The messages of a number that are new or changed after a place in the account's events, in the order in which that
 * became known. Whoever always goes on from `seq` misses nothing and gets nothing twice, except what changed again: the
 * events have no gaps. A page may be empty while `more` says that there is more.
 */
export async function readFeed(ctx: QueryCtx, caller: Caller, args: FeedRequest) {
  const granted = await grantNumber(ctx, caller, "messages:read", args.from);
  if (granted.refused) return granted;
  const { account } = granted;
  const only = args.contact === undefined ? null : await conversationNamed(ctx, account._id, args.contact);
  if (only === "absent") return refusal("not_found");
  const events =
    args.after === undefined
      ? (await newestEvents(ctx, account._id, EVENTS_READ_MAX)).reverse()
      : await eventsAfter(ctx, account._id, Math.max(0, args.after), EVENTS_READ_MAX);
  const limit = boundedRows(args.limit);
  const rows = new Map<Id<"messages">, Doc<"messages">>();
  let seq = args.after ?? 0;
  for (const event of args.after === undefined ? newestFew(events, limit) : events) {
    const id = ctx.db.normalizeId("messages", messageIdOf(event) ?? "");
    const message = id === null ? null : await ctx.db.get(id);
    const wanted =
      message?.accountId === account._id &&
      (only === null || message.conversationId === only._id) &&
      (args.direction === undefined || message.direction === args.direction);
    // A page ends before the message that would be one too many, and the next one begins with it.
    if (wanted && !rows.has(message._id) && rows.size === limit) break;
    if (wanted) rows.set(message._id, message);
    seq = event.seq;
  }
  return {
    account: viewNumber(account),
    messages: await Promise.all([...rows.values()].map((row) => viewFed(ctx, row))),
    seq,
    more: (await eventsAfter(ctx, account._id, seq, 1)).length > 0,
  };
}

async function conversationNamed(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  name: string,
): Promise<Doc<"conversations"> | "absent"> {
  const contact = await findContact(ctx, accountId, name);
  return (contact === null ? null : await findConversationOf(ctx, contact)) ?? "absent";
}

/** Without a place to go on from, the reader wants the end of the list: as many events as it may have messages. */
function newestFew(events: Doc<"webhookEvents">[], limit: number): Doc<"webhookEvents">[] {
  const about = events.filter(({ type }) => type.startsWith("message."));
  const last = events.at(-1);
  const few = about.slice(-limit);
  return last === undefined || few.at(-1) === last ? few : [...few, last];
}

async function viewFed(ctx: QueryCtx, row: Doc<"messages">) {
  const conversation = await ctx.db.get(row.conversationId);
  if (conversation === null) throw new Error(`Message ${row._id} has lost its conversation.`);
  const { contact } = await viewConversation(ctx, conversation);
  return { conversationId: conversation._id, contact, message: await viewMessage(ctx, row) };
}
