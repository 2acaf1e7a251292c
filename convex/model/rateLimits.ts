import { RateLimiter } from "@convex-dev/rate-limiter";
import { v } from "convex/values";
import { refusal } from "#shared/errors";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "#shared/time";
import { components } from "../_generated/api";
import type { Doc } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { DoorRefusal } from "./grants";
import { type Principal, principalKey } from "./principal";

/** One a second is more than a person types and less than Meta's 80 a second for a number; a key may have its own figure. */
const SENDS_PER_MINUTE_DEFAULT = 60;

/** What an unattended agent may do before somebody has thought about it; raised per key with `--daily-cap`. */
const KEY_SENDS_PER_DAY_DEFAULT = 1_000;

/** Requests of an MCP client in a minute: five a second, which is more than an agent that thinks between calls makes. */
const REQUESTS_PER_MINUTE_DEFAULT = 300;

/**
 * Part of a minute's requests that is handed out at once, so that a busy client does not cost a transaction per
 * request. What a process was given and did not use is lost to the key, which is why it is a small part.
 */
const REQUESTS_HANDED_OUT_SHARE = 0.05;

/**
 * Refusals of one principal in one account that are written down in an hour: two a minute show what goes wrong, and ten
 * keys that are refused all day long write fewer lines than they may send messages.
 */
export const REFUSAL_LINES_PER_HOUR = 120;

const periodUsage = v.object({
  limit: v.number(),
  left: v.number(),
  /** End of the running period (ms); absent before the first send. */
  resetsAt: v.optional(v.number()),
});

export const keyUsageView = v.object({ minute: periodUsage, day: periodUsage });

type Period = "minute" | "day";

const PERIOD_MS = { minute: MINUTE_MS, day: DAY_MS } as const satisfies Record<Period, number>;

/** The state is the component's: one row per principal and period, read and written in the caller's transaction. */
const limiter = new RateLimiter(components.rateLimiter);

/**
 * Whether the principal may send one more in the current minute or day (UTC). People have no daily cap. Reads only;
 * `countSend` takes the tokens in the same transaction that stores the send.
 */
export async function checkRate(
  ctx: MutationCtx,
  principal: Principal,
  period: Period,
): Promise<DoorRefusal | null> {
  const limit = limitsOf(principal).find((known) => known.period === period);
  if (limit === undefined) return null;
  const answer = await limiter.check(ctx, nameOf(period), bucketOf(principal, period, limit.rate));
  if (answer.ok) return null;
  const reason = period === "minute" ? "rate_limited" : "cap_reached";
  return refusal(reason, { retryAfterMs: answer.retryAfter });
}

/** Takes one token of the principal's minute and day. The check before it was made in this very transaction. */
export async function countSend(ctx: MutationCtx, principal: Principal): Promise<void> {
  for (const { period, rate } of limitsOf(principal)) {
    const taken = await limiter.limit(ctx, nameOf(period), bucketOf(principal, period, rate));
    if (!taken.ok) throw new Error(`A send was stored although its ${period} was used up.`);
  }
}

/**
 * What a key has left. A query has no clock, so each period says when it ends (ms): after `resetsAt` all of `limit` is
 * there again. Before the first send there is no period yet, and `resetsAt` is absent.
 */
export async function readUsage(ctx: QueryCtx, key: Doc<"apiKeys">) {
  const [minute, day] = await Promise.all([
    usageIn(ctx, key, "minute", key.sendsPerMinute ?? SENDS_PER_MINUTE_DEFAULT),
    usageIn(ctx, key, "day", key.sendsPerDay ?? KEY_SENDS_PER_DAY_DEFAULT),
  ]);
  return { minute, day };
}

/**
 * Takes the next few requests of a key from its minute, at least one, or says how long to wait for one (ms). The
 * bucket fills up all the time, so a client that keeps to the rate never waits long.
 */
export async function takeRequestTokens(ctx: MutationCtx, key: Doc<"apiKeys">) {
  const rate = key.sendsPerMinute ?? REQUESTS_PER_MINUTE_DEFAULT;
  const bucket = {
    key: principalKey({ kind: "key", key }),
    config: { kind: "token bucket" as const, rate, period: MINUTE_MS },
  };
  const take = async (count: number) => await limiter.limit(ctx, "requests per minute", { ...bucket, count });
  const several = Math.max(1, Math.floor(rate * REQUESTS_HANDED_OUT_SHARE));
  if ((await take(several)).ok) return { granted: several, retryAfterMs: 0 };
  const one = await take(1);
  return one.ok ? { granted: 1, retryAfterMs: 0 } : { granted: 0, retryAfterMs: Math.ceil(one.retryAfter) };
}

/**
 * Whether one more refusal may be written down: as a line of its own, as the last one, which stands for all further
 * ones of the hour, or not at all.
 */
export async function takeRefusalLine(ctx: MutationCtx, key: string): Promise<"line" | "last" | "none"> {
  const take = async (name: string, rate: number) =>
    (
      await limiter.limit(ctx, name, {
        key,
        config: { kind: "fixed window", rate, period: HOUR_MS, start: 0 },
      })
    ).ok;
  if (await take("refusals per hour", REFUSAL_LINES_PER_HOUR)) return "line";
  return (await take("hours with refusals left out", 1)) ? "last" : "none";
}

async function usageIn(ctx: QueryCtx, key: Doc<"apiKeys">, period: Period, limit: number) {
  const state = await limiter.getValue(ctx, nameOf(period), bucketOf({ kind: "key", key }, period, limit));
  const left = Math.min(Math.max(0, state.value), limit);
  return { limit, left, ...(state.ts > 0 && { resetsAt: state.ts + PERIOD_MS[period] }) };
}

function limitsOf(principal: Principal): { period: Period; rate: number }[] {
  if (principal.kind === "user") return [{ period: "minute", rate: SENDS_PER_MINUTE_DEFAULT }];
  const { sendsPerMinute, sendsPerDay } = principal.key;
  return [
    { period: "minute", rate: sendsPerMinute ?? SENDS_PER_MINUTE_DEFAULT },
    { period: "day", rate: sendsPerDay ?? KEY_SENDS_PER_DAY_DEFAULT },
  ];
}

function nameOf(period: Period): string {
  return `sends per ${period}`;
}

/** Windows that start at 0 are whole minutes and UTC days, so that everybody can work out when the next one begins. */
function bucketOf(principal: Principal, period: Period, rate: number) {
  return {
    key: principalKey(principal),
    config: { kind: "fixed window" as const, rate, period: PERIOD_MS[period], start: 0 },
  };
}
