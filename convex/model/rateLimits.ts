import { refusal } from "#shared/errors";
import { DAY_MS, MINUTE_MS } from "#shared/time";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { DoorRefusal } from "./grants";
import { type Principal, principalKey } from "./principal";

/** One a second is more than a person types and less than Meta's 80 a second for a number; a key may have its own figure. */
const SENDS_PER_MINUTE_DEFAULT = 60;

/** What an unattended agent may do before somebody has thought about it; raised per key with `--daily-cap`. */
const KEY_SENDS_PER_DAY_DEFAULT = 1_000;

type Period = Doc<"rateCounters">["period"];

const PERIOD_MS = { minute: MINUTE_MS, day: DAY_MS } as const satisfies Record<Period, number>;

/**
 * Whether the principal may send one more now: first the minute, then the day (UTC). People have no daily cap.
 * Reads only; `countSend` takes the token in the same transaction that stores the send.
 */
export async function checkRate(
  ctx: MutationCtx,
  principal: Principal,
  now: number,
): Promise<DoorRefusal | null> {
  const key = principal.kind === "key" ? principal.key : null;
  const perMinute = key?.sendsPerMinute ?? SENDS_PER_MINUTE_DEFAULT;
  if ((await countIn(ctx, principal, "minute", now)) >= perMinute) {
    return refusal("rate_limited", { retryAfterMs: untilNext("minute", now) });
  }
  if (key === null) return null;
  const perDay = key.sendsPerDay ?? KEY_SENDS_PER_DAY_DEFAULT;
  if ((await countIn(ctx, principal, "day", now)) < perDay) return null;
  return refusal("cap_reached", { retryAfterMs: untilNext("day", now) });
}

/** Counts one send of the principal in the current minute and day. */
export async function countSend(ctx: MutationCtx, principal: Principal, now: number): Promise<void> {
  for (const period of ["minute", "day"] as const) {
    const startedAt = startOf(period, now);
    const counter = await findCounter(ctx, principal, period);
    if (counter === null) {
      await ctx.db.insert("rateCounters", {
        principal: principalKey(principal),
        period,
        startedAt,
        count: 1,
      });
    } else {
      const count = counter.startedAt === startedAt ? counter.count + 1 : 1;
      await ctx.db.patch(counter._id, { startedAt, count });
    }
  }
}

async function countIn(ctx: MutationCtx, principal: Principal, period: Period, now: number): Promise<number> {
  const counter = await findCounter(ctx, principal, period);
  return counter !== null && counter.startedAt === startOf(period, now) ? counter.count : 0;
}

async function findCounter(ctx: MutationCtx, principal: Principal, period: Period) {
  return await ctx.db
    .query("rateCounters")
    .withIndex("by_principal_period", (q) => q.eq("principal", principalKey(principal)).eq("period", period))
    .unique();
}

function startOf(period: Period, now: number): number {
  return Math.floor(now / PERIOD_MS[period]) * PERIOD_MS[period];
}

function untilNext(period: Period, now: number): number {
  return startOf(period, now) + PERIOD_MS[period] - now;
}
