import type { Infer } from "convex/values";
import { defined } from "#shared/defined";
import type { WebhookEvent } from "#shared/whatsapp/webhook-events-types";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import type { numberFacts, pauseReason } from "../tables/accounts";
import { type AccountChange, tellAccount } from "./accountNews";
import { recordAudit } from "./audit";

type PauseReason = Infer<typeof pauseReason>;
type NumberFacts = Infer<typeof numberFacts>;

/** The events that are about the number or its account, and not about a template, a customer or a message. */
export type NumberEvent = Extract<
  WebhookEvent,
  {
    type:
      | "numberQuality"
      | "numberName"
      | "numberPin"
      | "numberUsername"
      | "account"
      | "alert"
      | "capability"
      | "setting";
  }
>;

/**
 * Stops sending from an account until the reason is gone. A pause that is in force already keeps its reason: what
 * ends the second one must not end the first. An account that is gone is left alone.
 */
export async function pauseSending(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  reason: PauseReason,
  now: number,
): Promise<void> {
  const account = await ctx.db.get(accountId);
  if (account === null || account.sending?.state === "paused") return;
  await ctx.db.patch(accountId, { sending: { state: "paused", reason, at: now } });
  await noteSending(ctx, accountId, `paused:${reason}`, now);
}

/**
 * Lets sends leave again. With `solved`, only a pause for that very reason ends (a new token does not lift a ban, nor
 * what a person has stopped); without it any pause does, because a person wants it so.
 */
export async function resumeSending(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  now: number,
  solved?: PauseReason,
): Promise<void> {
  const account = await ctx.db.get(accountId);
  if (account?.sending?.state !== "paused") return;
  if (solved !== undefined && account.sending.reason !== solved) return;
  await ctx.db.patch(accountId, { sending: { state: "active", at: now } });
  await ctx.scheduler.runAfter(0, internal.outbox.wakeAccount, { accountId });
  await noteSending(ctx, accountId, "resumed", now);
}

async function noteSending(ctx: MutationCtx, accountId: Id<"accounts">, outcome: string, now: number) {
  await recordAudit(ctx, { accountId, principal: "system", action: "account.sending", outcome, at: now });
  await tellAccount(ctx, accountId, {
    change: "sending",
    key: `${outcome}:${now}`,
    at: now,
    source: "pons",
  });
}

/**
 * Applies what Meta tells about a number or its account: the facts on the row, and whether sends may leave. `toldAt`
 * is the time (ms) that Meta gives the webhook. The same event again changes nothing.
 */
export async function applyNumberEvent(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  event: NumberEvent,
  now: number,
  toldAt: number = now,
): Promise<void> {
  if (event.type === "account" && (event.accountWabaId ?? account.wabaId) !== account.wabaId) return;
  const told = { key: `${toldAt}:${JSON.stringify(event)}`, at: toldAt, source: "meta_webhook" } as const;
  await updateNumber(ctx, account, factsOf(event), now, told);
  if (event.type === "alert") await tellAccount(ctx, account._id, { change: "alert", ...told });
  if (event.type === "account") await applyAccountWord(ctx, account._id, event, now);
}

/** Facts to change; one that is `undefined` is no longer so. */
export type FactChanges = { [Fact in keyof Omit<NumberFacts, "updatedAt">]?: NumberFacts[Fact] | undefined };

/**
 * Merges what is newly known about the number into its row, and tells it with `told`, where it was not found out by
 * asking. Returns whether that changed anything.
 */
export async function updateNumber(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  changes: FactChanges,
  now: number,
  told: Omit<AccountChange, "change"> = { key: `asked:${now}`, at: now, source: "pons" },
): Promise<boolean> {
  const known: FactChanges = account.number ?? {};
  const news = FACTS.filter(
    (fact) => fact in changes && JSON.stringify(changes[fact]) !== JSON.stringify(known[fact]),
  );
  if (news.length === 0) return false;
  await ctx.db.patch(account._id, { number: { ...defined({ ...known, ...changes }), updatedAt: now } });
  await tellAccount(ctx, account._id, { change: "number", ...told });
  return true;
}

const FACTS = [
  "verifiedName",
  "nameStatus",
  "quality",
  "status",
  "throughput",
  "messagingLimit",
  "username",
  "isPinSet",
  "reviewStatus",
  "banState",
  "violation",
  "restrictions",
] as const satisfies readonly (keyof FactChanges)[];

function factsOf(event: NumberEvent): FactChanges {
  switch (event.type) {
    case "numberQuality":
      return { ...qualityFacts(event.event), ...defined({ messagingLimit: event.limit }) };
    case "numberName":
      return {
        nameStatus: NAME_STATUS[event.decision] ?? event.decision,
        ...(event.decision === "APPROVED" && defined({ verifiedName: event.requestedName })),
      };
    case "numberPin":
      return event.event === "PIN_CHANGED" ? { isPinSet: true } : {};
    case "numberUsername":
      return { username: event.status === "deleted" ? undefined : event.username };
    case "account":
      return accountFacts(event);
    case "capability":
      return limitFacts(event.conversationsPerDayMax);
    case "alert":
    case "setting":
      return {};
    default:
      return event satisfies never;
  }
}

/** Words of `phone_number_quality_update`; UPGRADE, DOWNGRADE and ONBOARDING only bring a limit. */
function qualityFacts(word: string): FactChanges {
  switch (word) {
    case "FLAGGED":
      return { status: "FLAGGED", quality: "RED" };
    case "UNFLAGGED":
      return { status: "CONNECTED" };
    case "THROUGHPUT_UPGRADE":
      return { throughput: "HIGH" };
    default:
      return {};
  }
}

/** The decision on a name, in the words in which the number itself shows it. */
const NAME_STATUS: Readonly<Record<string, string>> = {
  APPROVED: "APPROVED",
  DEFERRED: "PENDING_REVIEW",
  PENDING: "PENDING_REVIEW",
  REJECTED: "DECLINED",
};

/** Meta's tiers by the people that may be written to first in a day (Meta: "Messaging limits"); -1 is no limit. */
const TIERS: ReadonlyMap<number, string> = new Map([
  [-1, "TIER_UNLIMITED"],
  [250, "TIER_250"],
  [2_000, "TIER_2K"],
  [10_000, "TIER_10K"],
  [100_000, "TIER_100K"],
]);

function limitFacts(peoplePerDay: number | undefined): FactChanges {
  return peoplePerDay === undefined
    ? {}
    : { messagingLimit: TIERS.get(peoplePerDay) ?? `TIER_${peoplePerDay}` };
}

type AccountEvent = Extract<NumberEvent, { type: "account" }>;

const REVIEW_PREFIX = "REVIEW_";

function accountFacts(event: AccountEvent): FactChanges {
  if (event.event.startsWith(REVIEW_PREFIX)) return { reviewStatus: event.event.slice(REVIEW_PREFIX.length) };
  switch (event.event) {
    case "DISABLED_UPDATE":
      return { banState: event.banState === "REINSTATE" ? undefined : event.banState };
    case "ACCOUNT_VIOLATION":
      return { violation: event.violation };
    case "ACCOUNT_RESTRICTION":
      return {
        restrictions: event.restrictions.map(({ type, expiresAtMs }) => ({
          type,
          ...defined({ expiresAt: expiresAtMs }),
        })),
      };
    default:
      return {};
  }
}

/** With this one not even an answer leaves; others only forbid to write first, which is decided send by send. */
const NO_ANSWERS = "RESTRICTED_CUSTOMER_INITIATED_MESSAGING";

/** Words after which the app has no more access to the account, and those after which it has it again. */
const ACCESS_LOST: ReadonlySet<string> = new Set([
  "ACCOUNT_DELETED",
  "ACCOUNT_OFFBOARDED",
  "PARTNER_APP_UNINSTALLED",
  "PARTNER_REMOVED",
]);
const ACCESS_REGAINED: ReadonlySet<string> = new Set([
  "ACCOUNT_RECONNECTED",
  "PARTNER_ADDED",
  "PARTNER_APP_INSTALLED",
]);

async function applyAccountWord(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  event: AccountEvent,
  now: number,
): Promise<void> {
  if (ACCESS_LOST.has(event.event)) await pauseSending(ctx, accountId, "access_removed", now);
  if (ACCESS_REGAINED.has(event.event)) await resumeSending(ctx, accountId, now, "access_removed");
  if (event.banState === "DISABLE") await pauseSending(ctx, accountId, "account_banned", now);
  if (event.banState === "REINSTATE") await resumeSending(ctx, accountId, now, "account_banned");
  if (event.event === "ACCOUNT_RESTRICTION") await applyRestrictions(ctx, accountId, event, now);
}

async function applyRestrictions(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  event: AccountEvent,
  now: number,
): Promise<void> {
  const blocked = event.restrictions.some(
    ({ type, expiresAtMs }) => type === NO_ANSWERS && (expiresAtMs ?? Number.POSITIVE_INFINITY) > now,
  );
  if (blocked) await pauseSending(ctx, accountId, "account_restricted", now);
  else await resumeSending(ctx, accountId, now, "account_restricted");
  for (const { expiresAtMs } of event.restrictions) {
    if (expiresAtMs === undefined || expiresAtMs <= now) continue;
    await ctx.scheduler.runAt(expiresAtMs, internal.accountHealth.endRestrictions, { accountId });
  }
}

/** Removes the restrictions of an account whose time is over, and lets it send again if none of the others forbids it. */
export async function endRestrictions(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  now: number,
): Promise<void> {
  const account = await ctx.db.get(accountId);
  if (account === null) return;
  const left = (account.number?.restrictions ?? []).filter(
    ({ expiresAt }) => expiresAt === undefined || expiresAt > now,
  );
  await updateNumber(ctx, account, { restrictions: left.length === 0 ? undefined : left }, now);
  if (!left.some(({ type }) => type === NO_ANSWERS)) {
    await resumeSending(ctx, accountId, now, "account_restricted");
  }
}
