import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { redactAudit } from "./audit";
import { dropMedia } from "./media";

/** Rows of one kind that hang on one message; Meta sends at most a few statuses and reactions, and copies of them. */
const ROWS_PER_MESSAGE_MAX = 200;

/** Removes a message with all that hangs on it: file, statuses, reactions, its send, and its name in the audit log. */
export async function eraseMessage(ctx: MutationCtx, message: Doc<"messages">): Promise<void> {
  const { _id: messageId, accountId, wamid } = message;
  await dropMedia(ctx, message);
  if (wamid !== undefined) await eraseByWamid(ctx, accountId, wamid);
  const sends = await ctx.db
    .query("outbox")
    .withIndex("by_message", (q) => q.eq("messageId", messageId))
    .take(ROWS_PER_MESSAGE_MAX);
  for (const send of sends) await eraseSend(ctx, send);
  await redactAudit(ctx, accountId, messageId);
  await ctx.db.delete(messageId);
}

/** Removes a send with the rows that make its repetition harmless. */
export async function eraseSend(ctx: MutationCtx, send: Doc<"outbox">): Promise<void> {
  const requests = await ctx.db
    .query("sendRequests")
    .withIndex("by_outbox", (q) => q.eq("outboxId", send._id))
    .take(ROWS_PER_MESSAGE_MAX);
  for (const request of requests) await ctx.db.delete(request._id);
  await redactAudit(ctx, send.accountId, send._id);
  await ctx.db.delete(send._id);
}

async function eraseByWamid(ctx: MutationCtx, accountId: Id<"accounts">, wamid: string): Promise<void> {
  const statuses = await ctx.db
    .query("messageStatuses")
    .withIndex("by_account_wamid_status", (q) => q.eq("accountId", accountId).eq("wamid", wamid))
    .take(ROWS_PER_MESSAGE_MAX);
  const reactions = await ctx.db
    .query("reactions")
    .withIndex("by_account_target", (q) => q.eq("accountId", accountId).eq("targetWamid", wamid))
    .take(ROWS_PER_MESSAGE_MAX);
  const edits = await ctx.db
    .query("messageEdits")
    .withIndex("by_account_target", (q) => q.eq("accountId", accountId).eq("targetWamid", wamid))
    .take(ROWS_PER_MESSAGE_MAX);
  // The message that stands for a call carries the call's id.
  const calls = await ctx.db
    .query("callEvents")
    .withIndex("by_account_call", (q) => q.eq("accountId", accountId).eq("callId", wamid))
    .take(ROWS_PER_MESSAGE_MAX);
  for (const row of [...statuses, ...reactions, ...edits, ...calls]) await ctx.db.delete(row._id);
}
