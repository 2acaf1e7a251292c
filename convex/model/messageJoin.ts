import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { joinParkedStatuses } from "./messageStatus";
import { joinReactions } from "./reactions";
import { joinRevisions } from "./revisions";

/**
 * Webhooks come in any order: statuses, reactions, edits and revocations may be here before the message that they are
 * about. They wait under its wamid and are joined to it as soon as the message has that wamid.
 */
export async function joinWaiting(ctx: MutationCtx, messageId: Id<"messages">, now: number): Promise<void> {
  const message = await ctx.db.get(messageId);
  if (message?.wamid === undefined) return;
  await joinParkedStatuses(ctx, message, message.wamid);
  await joinReactions(ctx, message, message.wamid);
  await joinRevisions(ctx, message, now);
}

/** Gives a message that was sent from here its wamid, and everything that was told under it before. */
export async function linkWamid(
  ctx: MutationCtx,
  message: Doc<"messages">,
  wamid: string,
  now: number,
): Promise<void> {
  if (message.wamid !== undefined) return;
  const taken = await ctx.db
    .query("messages")
    .withIndex("by_account_wamid", (q) => q.eq("accountId", message.accountId).eq("wamid", wamid))
    .unique();
  // Meta gave the id to a message that is stored already; taking it twice would break its uniqueness.
  if (taken !== null) return;
  await ctx.db.patch(message._id, { wamid });
  await joinWaiting(ctx, message._id, now);
}
