import { type Infer, v } from "convex/values";
import { backoffMs, NOT_SENT_BACKOFF } from "#shared/backoff";
import { SEND_LEASE_MS } from "#shared/domain/limits";
import { refusal } from "#shared/errors";
import { SECOND_MS } from "#shared/time";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { readAccountRules } from "./accountRules";
import { markSeen } from "./conversations";
import { checkMode } from "./modes";
import type { Principal } from "./principal";

/**
 * Read receipts and the typing indicator. They are no messages: WhatsApp may be told again without harm, so a lost
 * worker only costs a repetition, and one that cannot be told is given up after a few attempts.
 */

/** Meta: "Typing indicators": the phone shows it for 25 seconds, or until a message comes. */
const TYPING_MS = 25 * SECOND_MS;

/** Attempts before a receipt is given up; together they span about 15 seconds. */
const READ_ATTEMPTS_MAX = 4;

/** Rows that one run of the sweeper starts. */
const SWEEP_ROWS_MAX = 100;

/** What a worker needs; the access token is still sealed. */
export const readJob = v.object({
  phoneNumberId: v.string(),
  sealId: v.string(),
  accessTokenSealed: v.string(),
  wamid: v.string(),
  typing: v.boolean(),
});

export const readReport = v.object({
  wamid: v.string(),
  typing: v.boolean(),
  outcome: v.union(v.literal("told"), v.literal("retry"), v.literal("failed")),
});

/** The answer to a request: WhatsApp knows already, or will be told. */
export interface ReadAnswer {
  outcome: "accepted" | "pending";
  /** The customer's message that is marked. */
  messageId: Id<"messages">;
}

/**
 * Asks for the customer's newest message (and with it the earlier ones) to be marked as read, with `typing` also for
 * showing that somebody types. What WhatsApp knows already is not told again. Refuses a key in a conversation that
 * people have taken over, and `not_found` where the customer never wrote.
 */
export async function requestRead(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
  principal: Pick<Principal, "kind">,
  typing: boolean,
  now: number,
) {
  const obstacle = checkMode(conversation, principal);
  if (obstacle !== null) return refusal(obstacle);
  const newest = await newestInbound(ctx, conversation._id);
  if (newest?.wamid === undefined) return refusal("not_found");
  const answer = (outcome: ReadAnswer["outcome"]): ReadAnswer => ({ outcome, messageId: newest._id });
  const row = await findMark(ctx, conversation._id);
  if (row !== null && isTold(row, newest.wamid, typing, now)) return answer("accepted");
  const wanted = { wamid: newest.wamid, typing, askedAt: now };
  if (row === null) {
    const markId = await ctx.db.insert("readMarks", {
      accountId: conversation.accountId,
      conversationId: conversation._id,
      ...wanted,
      open: true,
      attempt: 0,
      dueAt: now,
    });
    await start(ctx, markId, now);
  } else if (row.open) {
    // Its worker, or the end of its back-off, finds what is wanted now.
    await ctx.db.patch(row._id, { ...wanted, typing: typing || row.typing });
  } else {
    await ctx.db.patch(row._id, { ...wanted, open: true, attempt: 0, claimToken: undefined, dueAt: now });
    await start(ctx, row._id, now);
  }
  return answer("pending");
}

/**
 * A member has looked at the conversation: nothing in it is unread for this member any more. The customer is told only
 * where the account wants that, because a blue tick promises an answer.
 */
export async function seeConversation(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
  userId: string,
  now: number,
): Promise<void> {
  await markSeen(ctx, conversation, userId, now);
  const { sendsReadReceipts } = await readAccountRules(ctx, conversation.accountId);
  if (sendsReadReceipts === true) await requestRead(ctx, conversation, { kind: "user" }, false, now);
}

/** Whether WhatsApp knows all of it already. */
function isTold(row: Doc<"readMarks">, wamid: string, typing: boolean, now: number): boolean {
  if (row.open || row.markedWamid !== wamid) return false;
  return !typing || (row.typingUntil ?? 0) > now;
}

async function newestInbound(
  ctx: QueryCtx,
  conversationId: Id<"conversations">,
): Promise<Doc<"messages"> | null> {
  return await ctx.db
    .query("messages")
    .withIndex("by_conversation_direction", (q) =>
      q.eq("conversationId", conversationId).eq("direction", "inbound"),
    )
    .order("desc")
    .first();
}

async function findMark(
  ctx: QueryCtx,
  conversationId: Id<"conversations">,
): Promise<Doc<"readMarks"> | null> {
  return await ctx.db
    .query("readMarks")
    .withIndex("by_conversation", (q) => q.eq("conversationId", conversationId))
    .unique();
}

async function start(ctx: MutationCtx, markId: Id<"readMarks">, dueAt: number): Promise<void> {
  await ctx.scheduler.runAt(dueAt, internal.readMarks.deliver, { markId });
}

/** Gives the work to a worker under a lease. Null when there is none, or another worker has it. */
export async function claimRead(
  ctx: MutationCtx,
  markId: Id<"readMarks">,
  claimToken: string,
  now: number,
): Promise<Infer<typeof readJob> | null> {
  const row = await ctx.db.get(markId);
  if (row === null || !row.open || row.dueAt > now) return null;
  const account = await ctx.db.get(row.accountId);
  if (account?.state !== "active" || account.sending?.state === "paused") {
    await ctx.db.patch(markId, { open: false });
    return null;
  }
  await ctx.db.patch(markId, { claimToken, attempt: row.attempt + 1, dueAt: now + SEND_LEASE_MS });
  const { phoneNumberId, sealId, accessTokenSealed } = account;
  // Whoever typed half a minute ago does not type any more.
  const typing = row.typing && now - row.askedAt < TYPING_MS;
  return { phoneNumberId, sealId, accessTokenSealed, wamid: row.wamid, typing };
}

/** Records how an attempt ended. What was asked for meanwhile is told next; a report of another claim changes nothing. */
export async function settleRead(
  ctx: MutationCtx,
  markId: Id<"readMarks">,
  claimToken: string,
  { wamid, typing, outcome }: Infer<typeof readReport>,
  now: number,
): Promise<void> {
  const row = await ctx.db.get(markId);
  if (row === null || row.claimToken !== claimToken) return;
  const told =
    outcome === "told" ? { markedWamid: wamid, ...(typing && { typingUntil: now + TYPING_MS }) } : {};
  const more = row.wamid !== wamid || (row.typing && !typing && now - row.askedAt < TYPING_MS);
  const again = more || (outcome === "retry" && row.attempt < READ_ATTEMPTS_MAX);
  if (!again) {
    await ctx.db.patch(markId, { ...told, open: false, claimToken: undefined });
    return;
  }
  const attempt = more ? 0 : row.attempt;
  const dueAt = more ? now : now + backoffMs(NOT_SENT_BACKOFF, row.attempt, Math.random());
  await ctx.db.patch(markId, { ...told, attempt, dueAt, claimToken: undefined });
  await start(ctx, markId, dueAt);
}

/** Starts work whose worker or timer was lost. A lost worker counts as an attempt, so the work ends some time. */
export async function sweepReads(ctx: MutationCtx, now: number): Promise<void> {
  const due = await ctx.db
    .query("readMarks")
    .withIndex("by_open_due", (q) => q.eq("open", true).lte("dueAt", now))
    .take(SWEEP_ROWS_MAX);
  for (const row of due) {
    if (row.attempt >= READ_ATTEMPTS_MAX) await ctx.db.patch(row._id, { open: false });
    else await start(ctx, row._id, now);
  }
}
