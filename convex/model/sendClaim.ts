import { type Infer, v } from "convex/values";
import { SEND_LEASE_MS } from "#shared/domain/limits";
import { nextSendState } from "#shared/domain/send-state";
import { mayStillSend } from "#shared/domain/window";
import type { ErrorCode } from "#shared/errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { outboxPayload } from "../tables/outbox";
import { laneHead } from "./lane";
import { needsWindow } from "./policy";
import { cancelSend, move } from "./sendMoves";

/** What a worker needs to send; the access token is still sealed. */
export const sendJob = v.object({
  attempt: v.number(),
  phoneNumberId: v.string(),
  sealId: v.string(),
  accessTokenSealed: v.string(),
  payload: outboxPayload,
});

/**
 * Gives a queued send to a worker under a lease, if it is due and first in its lane. The rules are asked once more,
 * because minutes may have passed: a send that they no longer allow is cancelled.
 */
export async function claimSend(
  ctx: MutationCtx,
  outboxId: Id<"outbox">,
  claimToken: string,
  now: number,
): Promise<Infer<typeof sendJob> | null> {
  const row = await ctx.db.get(outboxId);
  if (row === null || !row.open || row.dueAt > now || nextSendState(row.state, "claim") === null) return null;
  if ((await laneHead(ctx, row.conversationId))?._id !== row._id) return null;
  const account = await ctx.db.get(row.accountId);
  const obstacle = await findObstacle(ctx, row, account, now);
  if (account === null || obstacle !== null) {
    await cancelSend(ctx, row, obstacle ?? "not_found", now);
    return null;
  }
  const attempt = row.attempt + 1;
  await move(ctx, row, "claim", { attempt, claimToken, dueAt: now + SEND_LEASE_MS });
  const { phoneNumberId, sealId, accessTokenSealed } = account;
  return { attempt, phoneNumberId, sealId, accessTokenSealed, payload: row.payload };
}

async function findObstacle(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  account: Doc<"accounts"> | null,
  now: number,
): Promise<ErrorCode | null> {
  if (account?.state !== "active") return "not_found";
  const key = row.apiKeyId === undefined ? null : await ctx.db.get(row.apiKeyId);
  if (row.apiKeyId !== undefined && key?.revokedAt !== undefined) return "unauthorized";
  if (!needsWindow(row.payload)) return null;
  const conversation = await ctx.db.get(row.conversationId);
  return mayStillSend(conversation?.windowExpiresAt ?? null, now) ? null : "window_closed";
}

/**
 * Writes down that the request is about to leave. From here on a vanished worker means "unknown", never "again".
 * Returns whether this worker still holds the claim; if not, it must not send.
 */
export async function markDispatching(
  ctx: MutationCtx,
  outboxId: Id<"outbox">,
  claimToken: string,
  now: number,
): Promise<boolean> {
  const row = await ctx.db.get(outboxId);
  if (row === null || row.claimToken !== claimToken) return false;
  return await move(ctx, row, "dispatch", { dueAt: now + SEND_LEASE_MS });
}
