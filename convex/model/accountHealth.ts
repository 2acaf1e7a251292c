import { type Infer, v } from "convex/values";
import { defined } from "#shared/defined";
import { assessHealth, type HealthFacts, worstOf } from "#shared/domain/account-health";
import { MINUTE_MS } from "#shared/time";
import { getNumberInfo, listSubscribedApps } from "#shared/whatsapp/client-accounts";
import type { TokenInfo } from "#shared/whatsapp/client-login";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { healthCheck, numberFactsArg } from "../tables/accounts";
import { pauseSending, resumeSending, updateNumber } from "./accountEvents";
import type { AccountLink } from "./accountLink";
import { askAboutToken, factsOf } from "./accountSetup";
import { setting } from "./env";
import { graphClient } from "./graph";
import { openAccountSecret } from "./secrets";
import { endsOfToken, noteTokenEnds, tellTokenEnd } from "./tokenExpiry";

/** Accounts whose check one step of the sweep starts. */
const SWEEP_ACCOUNTS_MAX = 50;
/** Checks of one step start this far apart, so that Meta's limit of 200 calls an hour for an app is not met at once. */
const SWEEP_GAP_MS = 2_000;
/** A flood of wrong signatures writes no more often than this. */
const SIGNATURE_NOTE_MS = MINUTE_MS;

/** What Meta answered about an account; what is absent could not be asked. */
export const healthReport = v.object({
  token: v.object({
    isValid: v.union(v.boolean(), v.null()),
    /** Absent where Meta did not tell. */
    ends: v.optional(
      v.object({ expiresAt: v.optional(v.number()), dataAccessExpiresAt: v.optional(v.number()) }),
    ),
    scopes: v.optional(v.array(v.string())),
  }),
  subscription: v.union(
    v.null(),
    v.object({ isSubscribed: v.boolean(), callbackUrl: v.optional(v.string()) }),
  ),
  number: v.union(v.null(), v.object({ facts: numberFactsArg, canSend: v.optional(v.string()) })),
});

export const healthView = v.object({
  state: v.union(v.literal("ok"), v.literal("warning"), v.literal("failed"), v.literal("unknown")),
  checkedAt: v.optional(v.number()),
  checks: v.array(healthCheck),
});

/** Asks Meta everything about an account, with its own token. Only for actions; decides nothing. */
export async function askAboutHealth(link: AccountLink): Promise<Infer<typeof healthReport>> {
  const accessToken = await openAccountSecret(link, "accessToken", link.accessTokenSealed);
  // A token that cannot be opened any more is as good as none: only a new one helps.
  if (accessToken === null) return { token: { isValid: false }, subscription: null, number: null };
  const client = graphClient(accessToken);
  const [token, apps, number] = await Promise.all([
    askAboutToken(accessToken),
    listSubscribedApps(client, link.wabaId),
    getNumberInfo(client, link.phoneNumberId),
  ]);
  const refused = !number.ok && number.error?.code === TOKEN_REFUSED_CODE;
  const isValid = refused ? false : (token?.isValid ?? (number.ok ? true : null));
  return {
    token: {
      isValid,
      ...(token && { scopes: [...token.scopes], ends: endsFrom(token) }),
    },
    subscription: apps.ok
      ? { isSubscribed: apps.value.length > 0, ...defined({ callbackUrl: overrideOf(apps.value) }) }
      : null,
    number: number.ok
      ? { facts: factsOf(number.value), ...defined({ canSend: number.value.health?.canSend }) }
      : null,
  };
}

const endsFrom = ({ expiresAtMs, dataAccessExpiresAtMs }: TokenInfo) =>
  defined({ expiresAt: expiresAtMs, dataAccessExpiresAt: dataAccessExpiresAtMs });

/** Meta: "Access token has expired", "has been revoked" and the like, told apart by a subcode. */
const TOKEN_REFUSED_CODE = 190;

function overrideOf(apps: readonly { callbackUrl?: string }[]): string | undefined {
  return apps.find(({ callbackUrl }) => callbackUrl !== undefined)?.callbackUrl;
}

/** The addresses at which this deployment takes webhooks: the app's route, and the backend's own. */
export function ownCallbacks(): string[] {
  const [site, backend] = [setting("SITE_URL"), setting("CONVEX_SITE_URL")];
  return [site && `${site}/api/webhook`, backend && `${backend}/webhook`].filter((url) => url !== undefined);
}

/**
 * Keeps what was found: the checks, the facts on the account's row, and whether the token lets anything leave. Returns
 * the account's health as it is shown.
 */
export async function storeHealth(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  report: Infer<typeof healthReport>,
  now: number,
): Promise<Infer<typeof healthView> | null> {
  const before = await ctx.db.get(accountId);
  if (before === null) return null;
  if (report.number !== null) await updateNumber(ctx, before, report.number.facts, now);
  if (report.token.isValid === false) await pauseSending(ctx, accountId, "token_invalid", now);
  if (report.token.isValid === true) await resumeSending(ctx, accountId, now, "token_invalid");
  if (report.token.ends !== undefined) await noteTokenEnds(ctx, before, report.token.ends);
  const account = (await ctx.db.get(accountId)) ?? before;
  const row = await findHealth(ctx, accountId);
  const checks = assessHealth(await factsFor(ctx, account, row, report), now);
  const found = { checks, state: worstOf(checks), checkedAt: now };
  const tokenWarning = await tellTokenEnd(ctx, account, row?.tokenWarning, now);
  await writeHealth(ctx, accountId, row, { ...found, tokenWarning });
  return found;
}

async function factsFor(
  ctx: QueryCtx,
  account: Doc<"accounts">,
  row: Doc<"accountHealth"> | null,
  report: Infer<typeof healthReport>,
): Promise<HealthFacts> {
  const { sending } = account;
  const { isValid, scopes } = report.token;
  return {
    token: { isValid, ...endsOfToken(account), ...defined({ scopes }) },
    subscription: report.subscription,
    ownCallbacks: ownCallbacks(),
    number: report.number && { ...report.number.facts, ...defined({ canSend: report.number.canSend }) },
    ...defined({
      lastEventAt: await lastEventAt(ctx, account._id),
      lastBadSignatureAt: row?.lastBadSignatureAt,
      pausedFor: sending?.state === "paused" ? (sending.reason ?? "person") : undefined,
    }),
  };
}

/** More news than these in a row about the account itself mean that nothing else has come for long. */
const EVENTS_LOOKED_AT_MAX = 20;

/**
 * When the account's stream of events grew last: everything that arrives ends there. News about the account itself do
 * not count, because our own questions find them, too.
 */
async function lastEventAt(ctx: QueryCtx, accountId: Id<"accounts">): Promise<number | undefined> {
  const events = await ctx.db
    .query("webhookEvents")
    .withIndex("by_account_seq", (q) => q.eq("accountId", accountId))
    .order("desc")
    .take(EVENTS_LOOKED_AT_MAX);
  return events.find(({ type }) => type !== "account.updated")?._creationTime;
}

/** What the last look at the account found; `unknown` before the first. */
export async function readHealth(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
): Promise<Infer<typeof healthView>> {
  const row = await findHealth(ctx, accountId);
  if (row === null) return { state: "unknown", checks: [] };
  const { state, checks, checkedAt } = row;
  return { state, checks, ...defined({ checkedAt }) };
}

/** Notes that a delivery which names these accounts was signed with no secret that is known for them. */
export async function noteBadSignature(
  ctx: MutationCtx,
  accountIds: readonly Id<"accounts">[],
  now: number,
): Promise<void> {
  for (const accountId of accountIds) {
    const row = await findHealth(ctx, accountId);
    if (now - (row?.lastBadSignatureAt ?? 0) < SIGNATURE_NOTE_MS) continue;
    await writeHealth(ctx, accountId, row, { lastBadSignatureAt: now });
  }
}

async function findHealth(ctx: QueryCtx, accountId: Id<"accounts">): Promise<Doc<"accountHealth"> | null> {
  return await ctx.db
    .query("accountHealth")
    .withIndex("by_account", (q) => q.eq("accountId", accountId))
    .unique();
}

type HealthRow = Omit<Doc<"accountHealth">, "_id" | "_creationTime" | "accountId">;
/** A warning that is undefined holds no more. */
type HealthChanges = Partial<Omit<HealthRow, "tokenWarning">> & {
  tokenWarning?: HealthRow["tokenWarning"] | undefined;
};

async function writeHealth(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  row: Doc<"accountHealth"> | null,
  changes: HealthChanges,
): Promise<void> {
  if (row !== null) return await ctx.db.patch(row._id, changes);
  await ctx.db.insert("accountHealth", { accountId, state: "unknown", checks: [], ...defined(changes) });
}

/**
 * Starts the checks of the next accounts, and returns where to go on, or null at the end. Of a token that ends is told
 * here already, by the dates that are known: Meta need not be there for that.
 */
export async function sweepHealth(
  ctx: MutationCtx,
  cursor: string | null,
  now: number,
): Promise<string | null> {
  const { page, isDone, continueCursor } = await ctx.db
    .query("accounts")
    .withIndex("by_creation_time")
    .paginate({ cursor, numItems: SWEEP_ACCOUNTS_MAX });
  for (const [position, account] of page.entries()) {
    if (account.state !== "active") continue;
    await watchToken(ctx, account, now);
    await ctx.scheduler.runAfter(position * SWEEP_GAP_MS, internal.accountHealth.check, {
      accountId: account._id,
    });
  }
  return isDone ? null : continueCursor;
}

async function watchToken(ctx: MutationCtx, account: Doc<"accounts">, now: number): Promise<void> {
  const row = await findHealth(ctx, account._id);
  const tokenWarning = await tellTokenEnd(ctx, account, row?.tokenWarning, now);
  if (tokenWarning !== row?.tokenWarning) await writeHealth(ctx, account._id, row, { tokenWarning });
}
