import { PARKED_MS } from "#shared/domain/limits";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { appendMessageEvent } from "./messageEvents";

type NewReaction = Omit<Doc<"reactions">, "_id" | "_creationTime" | "parkedUntil">;
type Shown = Doc<"messages">["reactions"];

/** Reactions to one message that are looked at: two people can change theirs a few times, not hundreds. */
const REACTIONS_PER_MESSAGE_MAX = 256;

/**
 * Records a reaction or its removal and updates its message, if that is here; otherwise it waits for it. Returns false
 * for a known one.
 */
export async function addReaction(ctx: MutationCtx, reaction: NewReaction, now: number): Promise<boolean> {
  const { accountId, wamid, targetWamid } = reaction;
  const known = await ctx.db
    .query("reactions")
    .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId).eq("wamid", wamid))
    .unique();
  const nowLive = known?.imported === true && reaction.imported !== true;
  if (known !== null && !nowLive) return false;
  const target = await ctx.db
    .query("messages")
    .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId).eq("wamid", targetWamid))
    .unique();
  const parked = target === null ? { parkedUntil: now + PARKED_MS } : {};
  if (known === null) await ctx.db.insert("reactions", { ...reaction, ...parked });
  else await ctx.db.patch(known._id, { imported: undefined });
  if (target === null) return true;
  const reactions = shownReactions(await reactionsTo(ctx, accountId, targetWamid));
  await ctx.db.patch(target._id, { reactions });
  await tellReaction(ctx, target._id, reaction);
  return true;
}

/** Shows at a message the reactions that came before it. */
export async function joinReactions(
  ctx: MutationCtx,
  message: Pick<Doc<"messages">, "_id" | "accountId">,
  wamid: string,
): Promise<void> {
  const waiting = await reactionsTo(ctx, message.accountId, wamid);
  if (waiting.length === 0) return;
  await ctx.db.patch(message._id, { reactions: shownReactions(waiting) });
  for (const reaction of waiting.toReversed()) {
    await ctx.db.patch(reaction._id, { parkedUntil: undefined });
    await tellReaction(ctx, message._id, reaction);
  }
}

async function tellReaction(
  ctx: MutationCtx,
  messageId: Id<"messages">,
  { wamid, from, emoji, timestamp, imported }: NewReaction,
): Promise<void> {
  if (imported) return;
  await appendMessageEvent(ctx, messageId, {
    type: "message.reaction.changed",
    dedupeKey: wamid,
    occurredAt: timestamp,
    more: { reaction: { from, emoji } },
  });
}

/** Newest first. */
async function reactionsTo(ctx: QueryCtx, accountId: Id<"accounts">, targetWamid: string) {
  return await ctx.db
    .query("reactions")
    .withIndex("by_account_target", (q) => q.eq("accountId", accountId).eq("targetWamid", targetWamid))
    .order("desc")
    .take(REACTIONS_PER_MESSAGE_MAX);
}

/** What each side's latest reaction to a message is. The order in which reactions arrived does not matter. */
function shownReactions(history: readonly Doc<"reactions">[]): Shown {
  const latest = (from: "customer" | "business") =>
    history.filter((reaction) => reaction.from === from).reduce(later, undefined);
  return [latest("customer"), latest("business")].flatMap((reaction) =>
    reaction === undefined || reaction.emoji === "" ? [] : [{ emoji: reaction.emoji, from: reaction.from }],
  );
}

/** The later of two; between two of the same second the greater id, so that every order gives the same answer. */
function later(a: Doc<"reactions"> | undefined, b: Doc<"reactions">): Doc<"reactions"> {
  if (a === undefined || b.timestamp !== a.timestamp)
    return a !== undefined && a.timestamp > b.timestamp ? a : b;
  return a.wamid > b.wamid ? a : b;
}
