import { type Infer, v } from "convex/values";
import { phoneDigits } from "#shared/phone";
import type { WebhookItem } from "#shared/whatsapp/webhook-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { QueryCtx } from "../_generated/server";
import { findByPhoneNumberId } from "./accounts";
import type { EventScope } from "./fieldEvents";
import type { ItemOutcome } from "./itemOutcome";

/** Numbers of one WhatsApp Business account that an update without a number may concern; Meta allows at most 20. */
const NUMBERS_PER_WABA_MAX = 20;

/** Whom an item concerns, as it travels into the item's subtransaction. */
export const itemScope = v.union(
  v.object({ kind: v.literal("number"), accountId: v.id("accounts") }),
  v.object({ kind: v.literal("waba"), wabaId: v.string(), accountIds: v.array(v.id("accounts")) }),
);
export type ItemScope = Infer<typeof itemScope>;

interface Refused {
  kind: "refused";
  outcome: ItemOutcome;
  /** The account whose members may see the item in their list of what was not applied. */
  accountId?: Id<"accounts">;
}

/** Who signed a body, as its log keeps it. */
export type SignedBy = Pick<Doc<"webhookLogs">, "signedBy" | "accountIds">;

/**
 * Whom an item concerns, if the secret that verified its body counts there. Otherwise how the item ends, which is
 * always with a reason and never without a trace.
 *
 * @param named accounts that were read in this transaction already
 */
export async function resolveScope(
  ctx: QueryCtx,
  log: SignedBy,
  item: WebhookItem,
  named: readonly Doc<"accounts">[],
): Promise<ItemScope | Refused> {
  const { phoneNumberId } = item;
  if (phoneNumberId === undefined) return await scopeOfWaba(ctx, log, item);
  const account =
    named.find((known) => known.phoneNumberId === phoneNumberId) ??
    (await findByPhoneNumberId(ctx, phoneNumberId));
  if (account === null) return dead("unknown_number");
  return scopeOfNumber(log, account);
}

/** The scope with the rows that it names; null when the number was disconnected meanwhile. */
export async function openScope(ctx: QueryCtx, scope: ItemScope): Promise<EventScope | null> {
  if (scope.kind === "waba") return scope;
  const account = await ctx.db.get(scope.accountId);
  return account === null ? null : { kind: "number", account };
}

function scopeOfNumber(log: SignedBy, account: Doc<"accounts">): ItemScope | Refused {
  if (!vouches(log, account)) return dead("foreign_number");
  if (account.state !== "active") return { ...dead("account_disabled"), accountId: account._id };
  return { kind: "number", accountId: account._id };
}

/**
 * Whether the signature of a body counts for an account. The deployment's own app secret counts for every account
 * that brings none, also for one that was connected after the body came.
 */
function vouches(log: SignedBy, account: Doc<"accounts">): boolean {
  if (log.accountIds.includes(account._id)) return true;
  return log.signedBy === "app" && account.appSecretSealed === undefined;
}

async function scopeOfWaba(ctx: QueryCtx, log: SignedBy, item: WebhookItem): Promise<ItemScope | Refused> {
  const wabaId = namedWaba(item);
  if (item.kind === "message" || item.kind === "echo" || item.kind === "status") return dead("no_number");
  if (wabaId === undefined) return dead("no_number");
  const accounts = await ctx.db
    .query("accounts")
    .withIndex("by_waba_id", (q) => q.eq("wabaId", wabaId))
    .take(NUMBERS_PER_WABA_MAX);
  if (accounts.length === 0) return dead("unknown_account");
  const vouched = accounts.filter((account) => vouches(log, account));
  if (vouched.length === 0) return dead("foreign_account");
  const named = namedNumber(item, vouched);
  if (named !== undefined) return scopeOfNumber(log, named);
  return { kind: "waba", wabaId, accountIds: vouched.map((account) => account._id) };
}

/** Events about partners stand under the partner's portfolio and name the account inside. */
function namedWaba(item: WebhookItem): string | undefined {
  const inside =
    item.kind === "event" && item.event.type === "account" ? item.event.accountWabaId : undefined;
  return inside ?? item.wabaId;
}

/** Updates of one number name it by its digits, alerts by its id. */
function namedNumber(item: WebhookItem, accounts: readonly Doc<"accounts">[]): Doc<"accounts"> | undefined {
  const digits = item.displayPhoneNumber === undefined ? "" : phoneDigits(item.displayPhoneNumber);
  const id = item.kind === "event" && item.event.type === "alert" ? item.event.entityId : undefined;
  return accounts.find(
    (account) =>
      phoneDigits(account.phoneNumber) === digits || (id !== undefined && account.phoneNumberId === id),
  );
}

function dead(reason: string): Refused {
  return { kind: "refused", outcome: { state: "dead", reason } };
}
