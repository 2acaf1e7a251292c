import { type Infer, v } from "convex/values";
import { backoffMs } from "#shared/backoff";
import { defined } from "#shared/defined";
import { type Refusal, refusal } from "#shared/errors";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "#shared/time";
import { readTemplate } from "#shared/whatsapp/template-definition";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { describeTemplate, stateOfStatus, templateLanguage } from "./templateRow";

/**
 * Keeps the copy of Meta's list of templates. A run is one action between `claim` and `finish`; it brings the list page
 * by page, and what a whole run did not see is removed at its end. Webhooks tell of changes in between.
 */

/** Webhooks bring what changes, so the list is read only to find what they missed. */
const SYNC_EVERY_MS = 6 * HOUR_MS;
/** Several webhooks about one template arrive within seconds; one run answers all of them. */
const GATHER_MS = 5 * SECOND_MS;
/** How often a person may ask for a run: each costs Meta's hourly budget of the account one call per 100 templates. */
const ASK_EVERY_MS = 30 * SECOND_MS;
/** How long a page may take to arrive: the Graph's deadline of 20 s and some room. Each page renews it. */
const PAGE_LEASE_MS = MINUTE_MS;
const FAILURE_BACKOFF = { firstMs: MINUTE_MS, factor: 4, maxMs: SYNC_EVERY_MS };

/** Rows written by one mutation; each costs two reads and a write, and Meta's largest has about 20 KB. */
export const APPLY_ROWS_MAX = 50;
/** Rows removed by one mutation. */
const REMOVE_ROWS_MAX = 200;
/** Runs that one tick of the cron starts. */
const SWEEP_ROWS_MAX = 20;
/** Largest row that is kept: three times Meta's largest (ten cards), so that a page of rows fits into any transaction. */
const ROW_CHARACTERS_MAX = 64 * 1024;

/** What a run needs; the access token is still sealed. */
export const templateSyncJob = v.object({
  wabaId: v.string(),
  sealId: v.string(),
  accessTokenSealed: v.string(),
});

/** How a run ended. */
export const templateSyncReport = v.union(
  v.object({ outcome: v.literal("read"), whole: v.boolean() }),
  v.object({ outcome: v.literal("failed"), reason: v.string() }),
);

/** Lets the list of an account be read soon; asked for during a run, another one follows it. */
export async function requestTemplateSync(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  now: number,
  waitMs: number = GATHER_MS,
): Promise<void> {
  const row = await findSync(ctx, accountId);
  if (row === null) {
    await ctx.db.insert("templateSyncs", { accountId, again: false, dueAt: now + waitMs, failures: 0 });
  } else if (isRunning(row, now)) {
    await ctx.db.patch(row._id, { again: true });
    return;
  } else if (row.dueAt > now && row.dueAt <= now + waitMs) {
    return;
  } else {
    await ctx.db.patch(row._id, { dueAt: now + waitMs });
  }
  await ctx.scheduler.runAfter(waitMs, internal.templates.sync, { accountId });
}

/** A person asks for the list to be read now. Refused with `rate_limited` when somebody just did. */
export async function askForTemplateSync(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  now: number,
): Promise<Refusal | null> {
  const row = await findSync(ctx, accountId);
  const waitMs = (row?.askedAt ?? 0) + ASK_EVERY_MS - now;
  if (waitMs > 0) return refusal("rate_limited", { retryAfterMs: waitMs });
  await requestTemplateSync(ctx, accountId, now, 0);
  const asked = await findSync(ctx, accountId);
  if (asked !== null) await ctx.db.patch(asked._id, { askedAt: now });
  return null;
}

/** How fresh the copy is, for the people of the account. */
export async function readSyncState(ctx: QueryCtx, accountId: Id<"accounts">) {
  const row = await findSync(ctx, accountId);
  const running = row?.token !== undefined;
  return { running, ...defined({ syncedAt: row?.syncedAt, reason: row?.reason }) };
}

/** Gives the list of an account to a worker. Null when it is not due, or another worker has it. */
export async function claimTemplateSync(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  token: string,
  now: number,
): Promise<Infer<typeof templateSyncJob> | null> {
  const row = await findSync(ctx, accountId);
  if (row === null || isRunning(row, now) || row.dueAt > now) return null;
  const account = await ctx.db.get(accountId);
  if (account?.state !== "active") {
    await ctx.db.delete(row._id);
    return null;
  }
  await ctx.db.patch(row._id, { token, startedAt: now, leaseUntil: now + PAGE_LEASE_MS, again: false });
  const { wabaId, sealId, accessTokenSealed } = account;
  return { wabaId, sealId, accessTokenSealed };
}

/**
 * Writes rows of one page, each as Meta's own JSON text. `readAt` is our time before the page was asked for: what a
 * webhook told later is newer. Returns false when the run is no longer this worker's.
 */
export async function applyTemplateRows(
  ctx: MutationCtx,
  args: { accountId: Id<"accounts">; token: string; rows: readonly string[]; readAt: number },
  now: number,
): Promise<boolean> {
  const run = await findSync(ctx, args.accountId);
  if (run === null || run.token !== args.token || run.startedAt === undefined) return false;
  for (const text of args.rows) await applyRow(ctx, args.accountId, text, args.readAt, run.startedAt);
  await ctx.db.patch(run._id, { leaseUntil: now + PAGE_LEASE_MS });
  return true;
}

async function applyRow(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  text: string,
  readAt: number,
  syncedAt: number,
): Promise<void> {
  const json: unknown = JSON.parse(text);
  const definition = readTemplate(json);
  if (definition === null || text.length > ROW_CHARACTERS_MAX) return;
  const known = await ctx.db
    .query("templates")
    .withIndex("by_account_name_language", (q) =>
      q
        .eq("accountId", accountId)
        .eq("name", definition.name)
        .eq("language", templateLanguage(definition.language)),
    )
    .unique();
  const listed = {
    ...describeTemplate(definition, componentsText(json)),
    metaTemplateId: definition.id,
    syncedAt,
  };
  const words = {
    ...stateOfStatus(definition.status, definition),
    category: definition.category,
    quality: definition.quality,
    rejectedReason: definition.rejectedReason === "NONE" ? undefined : definition.rejectedReason,
  };
  if (known === null) {
    await ctx.db.insert("templates", { accountId, ...defined(listed), ...defined(words) });
    return;
  }
  const sameState = words.state === known.state;
  const newer = (known.changedAt ?? 0) < readAt;
  await ctx.db.patch(known._id, {
    ...listed,
    ...(newer && words),
    // What was told about a pause or a rejection ends with it.
    ...(newer && !sameState && { pausedUntil: undefined, detail: undefined }),
  });
}

function componentsText(json: unknown): string {
  const components = typeof json === "object" && json !== null && "components" in json ? json.components : [];
  return JSON.stringify(components ?? []);
}

/**
 * Ends a run. After a whole one, what it did not see is removed, a bounded number of rows at a time: returns true while
 * there may be more, and is then called again. A failed run is tried again later.
 */
export async function finishTemplateSync(
  ctx: MutationCtx,
  args: { accountId: Id<"accounts">; token: string; report: Infer<typeof templateSyncReport> },
  now: number,
): Promise<boolean> {
  const { accountId, token, report } = args;
  const run = await findSync(ctx, accountId);
  if (run === null || run.token !== token || run.startedAt === undefined) return false;
  if (report.outcome === "read" && report.whole && (await removeUnseen(ctx, accountId, run.startedAt))) {
    await ctx.db.patch(run._id, { leaseUntil: now + PAGE_LEASE_MS });
    return true;
  }
  const failures = report.outcome === "failed" ? run.failures + 1 : 0;
  const waitMs =
    report.outcome === "failed" ? backoffMs(FAILURE_BACKOFF, failures, Math.random()) : SYNC_EVERY_MS;
  const dueAt = run.again ? now + GATHER_MS : now + waitMs;
  await ctx.db.patch(run._id, {
    token: undefined,
    startedAt: undefined,
    leaseUntil: undefined,
    again: false,
    dueAt,
    failures,
    ...(report.outcome === "failed"
      ? { reason: report.reason }
      : { reason: undefined, syncedAt: run.startedAt }),
  });
  if (run.again) await ctx.scheduler.runAt(dueAt, internal.templates.sync, { accountId });
  return false;
}

async function removeUnseen(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  startedAt: number,
): Promise<boolean> {
  const unseen = await ctx.db
    .query("templates")
    .withIndex("by_account_synced", (q) => q.eq("accountId", accountId).lt("syncedAt", startedAt))
    .take(REMOVE_ROWS_MAX);
  for (const row of unseen) await ctx.db.delete(row._id);
  return unseen.length === REMOVE_ROWS_MAX;
}

/** Cron: starts runs that are due, also those whose worker was lost. */
export async function sweepTemplateSyncs(ctx: MutationCtx, now: number): Promise<void> {
  const due = await ctx.db
    .query("templateSyncs")
    .withIndex("by_due_at", (q) => q.lte("dueAt", now))
    .take(SWEEP_ROWS_MAX);
  for (const { accountId } of due) await ctx.scheduler.runAfter(0, internal.templates.sync, { accountId });
}

function isRunning(row: Doc<"templateSyncs">, now: number): boolean {
  return row.leaseUntil !== undefined && row.leaseUntil > now;
}

async function findSync(ctx: QueryCtx, accountId: Id<"accounts">): Promise<Doc<"templateSyncs"> | null> {
  return await ctx.db
    .query("templateSyncs")
    .withIndex("by_account", (q) => q.eq("accountId", accountId))
    .unique();
}
