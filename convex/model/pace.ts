import { RateLimiter } from "@convex-dev/rate-limiter";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "#shared/time";
import { components } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";

/**
 * How fast sends leave, so that Meta never has to refuse one: a budget for each number and one for each person that
 * the number writes to. Both delay a send and never refuse it. Beside them stands the pause of a number that Meta has
 * refused nevertheless. All of it is read and written in the transaction that claims the send.
 */

/** Meta: "Throughput": messages per second of a number, 80 unless it was upgraded. */
const NUMBER_PER_SECOND_DEFAULT = 80;
const NUMBER_PER_SECOND_HIGH = 1_000;

/**
 * Rows over which the budget of one number is spread, so that claims of different conversations do not wait for each
 * other. Each holds a tenth of a second's share or more, which is as fine as the scheduler is.
 */
const NUMBER_SHARDS = 8;

/** Meta: the pair rate: one message in 6 seconds to one person, after up to 45 at once. */
const PAIR_PERIOD_MS = 6 * SECOND_MS;
const PAIR_BURST = 45;

const limiter = new RateLimiter(components.rateLimiter);

/**
 * Takes one message's share of both budgets. Returns how long (ms) the message has to wait for it; 0 = it may leave
 * now. The share is taken either way: whoever waits that long must not take another.
 */
export async function takeTurn(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  conversationId: Id<"conversations">,
): Promise<number> {
  const perSecond =
    account.number?.throughput === "HIGH" ? NUMBER_PER_SECOND_HIGH : NUMBER_PER_SECOND_DEFAULT;
  const pair = await limiter.limit(ctx, "sends to a person", {
    key: conversationId,
    reserve: true,
    config: { kind: "token bucket", rate: 1, period: PAIR_PERIOD_MS, capacity: PAIR_BURST },
  });
  const number = await limiter.limit(ctx, "sends of a number", {
    key: account._id,
    reserve: true,
    config: { kind: "token bucket", rate: perSecond, period: SECOND_MS, shards: NUMBER_SHARDS },
  });
  return Math.ceil(Math.max(pair.retryAfter ?? 0, number.retryAfter ?? 0));
}

/** A pause that follows the last one within this time is the next of a row, and longer. */
const STRIKE_MEMORY_MS = 10 * MINUTE_MS;

/** Longest pause of a number: limits of an app or an account are counted by the hour. */
const PAUSE_MS_MAX = HOUR_MS;

/** Until when (ms) Meta wants no sends of this number; 0 = it takes them. */
export async function pausedUntil(ctx: MutationCtx, accountId: Id<"accounts">): Promise<number> {
  return (await findPause(ctx, accountId))?.until ?? 0;
}

/**
 * Stops all sends of a number, because Meta refused one for the number's rate. `waitMs` is what Meta asked for or what
 * its error means; each refusal in a row doubles it. Returns the end of the pause (ms).
 */
export async function pauseNumber(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  waitMs: number,
  now: number,
): Promise<number> {
  const pause = await findPause(ctx, accountId);
  // Sends that were on their way when the pause began are refused, too, and say nothing new.
  if (pause !== null && pause.until > now) return pause.until;
  const strikes = pause !== null && now - pause.until < STRIKE_MEMORY_MS ? pause.strikes + 1 : 1;
  const until = now + Math.min(PAUSE_MS_MAX, waitMs * 2 ** (strikes - 1));
  if (pause === null) await ctx.db.insert("numberPauses", { accountId, until, strikes });
  else await ctx.db.patch(pause._id, { until, strikes });
  return until;
}

async function findPause(ctx: MutationCtx, accountId: Id<"accounts">): Promise<Doc<"numberPauses"> | null> {
  return await ctx.db
    .query("numberPauses")
    .withIndex("by_account", (q) => q.eq("accountId", accountId))
    .unique();
}
