import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";

type Shown = Doc<"messages">["reactions"];

/** Reactions to one message that are looked at: two people can change theirs a few times, not hundreds. */
const REACTIONS_PER_MESSAGE_MAX = 256;

/** Records a reaction or its removal and updates the message, if it is here. Returns false for a known one. */
export async function addReaction(
  ctx: MutationCtx,
  reaction: Omit<Doc<"reactions">, "_id" | "_creationTime">,
): Promise<boolean> {
  const { accountId, wamid, targetWamid } = reaction;
  const known = await ctx.db
    .query("reactions")
    .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId).eq("wamid", wamid))
    .unique();
  if (known !== null) return false;
  await ctx.db.insert("reactions", reaction);
  const target = await ctx.db
    .query("messages")
    .withIndex("by_account_wamid", (q) => q.eq("accountId", accountId).eq("wamid", targetWamid))
    .unique();
  if (target !== null) {
    await ctx.db.patch(target._id, { reactions: await shownReactions(ctx, accountId, targetWamid) });
  }
  return true;
}

/** What each side's latest reaction to a message is. The order in which reactions arrived does not matter. */
export async function shownReactions(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  targetWamid: string,
): Promise<Shown> {
  const history = await ctx.db
    .query("reactions")
    .withIndex("by_account_target", (q) => q.eq("accountId", accountId).eq("targetWamid", targetWamid))
    .order("desc")
    .take(REACTIONS_PER_MESSAGE_MAX);
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
