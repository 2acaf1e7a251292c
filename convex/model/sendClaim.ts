import { type Infer, v } from "convex/values";
import { SEND_LEASE_MS } from "#shared/domain/limits";
import { nextSendState } from "#shared/domain/send-state";
import { mayStillSend } from "#shared/domain/window";
import type { ErrorCode } from "#shared/errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { outboxPayload } from "../tables/outbox";
import { checkConsent } from "./consent";
import { laneHead, scheduleDelivery, waitForAccount } from "./lane";
import { checkMode } from "./modes";
import { pausedUntil, takeTurn } from "./pace";
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
 * Gives a queued send to a worker under a lease, if it is due, first in its lane, and its turn has come. The rules are
 * asked once more, because minutes may have passed: a send that they no longer allow is cancelled. One that has to
 * wait for its number or its turn stays first in its lane, so that the order is kept.
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
  if (account.sending?.state === "paused") {
    await waitForAccount(ctx, row);
    return null;
  }
  const turnAt = await turnOf(ctx, row, account, now);
  if (turnAt > now) {
    await scheduleDelivery(ctx, row._id, turnAt);
    return null;
  }
  const attempt = row.attempt + 1;
  await move(ctx, row, "claim", { attempt, claimToken, dueAt: now + SEND_LEASE_MS });
  const { phoneNumberId, sealId, accessTokenSealed } = account;
  return { attempt, phoneNumberId, sealId, accessTokenSealed, payload: row.payload };
}

/** Why the send may not leave any more, or null. */
async function findObstacle(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  account: Doc<"accounts"> | null,
  now: number,
): Promise<ErrorCode | null> {
  if (account?.state !== "active") return "not_found";
  if (row.apiKeyId !== undefined && !(await mayKeyStillSend(ctx, row.apiKeyId, row.accountId, now))) {
    return "unauthorized";
  }
  const conversation = await ctx.db.get(row.conversationId);
  const contact = conversation === null ? null : await ctx.db.get(conversation.contactId);
  if (conversation === null || contact === null) return "not_found";
  const { payload } = row;
  const purpose = payload.type === "template" ? payload.purpose : "service";
  return (
    checkMode(conversation, { kind: row.apiKeyId === undefined ? "user" : "key" }) ??
    (await checkConsent(ctx, contact, purpose)) ??
    (needsWindow(payload) && !mayStillSend(conversation.windowExpiresAt ?? null, now)
      ? "window_closed"
      : null)
  );
}

async function mayKeyStillSend(
  ctx: MutationCtx,
  apiKeyId: Id<"apiKeys">,
  accountId: Id<"accounts">,
  now: number,
): Promise<boolean> {
  const key = await ctx.db.get(apiKeyId);
  if (key === null || key.revokedAt !== undefined || !key.grantedAccountIds.includes(accountId)) return false;
  return key.expiresAt === undefined || key.expiresAt > now;
}

/** When this attempt may leave (ms): after the pause of its number, and when its share of the rates is there. */
async function turnOf(
  ctx: MutationCtx,
  row: Doc<"outbox">,
  account: Doc<"accounts">,
  now: number,
): Promise<number> {
  const resumesAt = await pausedUntil(ctx, account._id);
  if (resumesAt > now) return resumesAt;
  if (row.turnTaken === row.attempt + 1) return now;
  const waitMs = await takeTurn(ctx, account, row.conversationId);
  await ctx.db.patch(row._id, { turnTaken: row.attempt + 1 });
  return now + waitMs;
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
