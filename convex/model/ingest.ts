import { ConvexError, type Infer, v } from "convex/values";
import { toHex } from "#shared/bytes";
import { defined } from "#shared/defined";
import { WEBHOOK_BODY_BYTES_MAX } from "#shared/domain/limits";
import { isAppErrorData } from "#shared/errors";
import { parseSignatureHeader } from "#shared/signature";
import { DAY_MS } from "#shared/time";
import { readWebhookBody } from "#shared/whatsapp/webhook";
import type { WebhookItem } from "#shared/whatsapp/webhook-types";
import { internal } from "../_generated/api";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { noteBadSignature } from "./accountHealth";
import { applyItem } from "./inbound";
import type { ItemOutcome } from "./itemOutcome";
import { keepsNoBodies, removeBody } from "./retention";
import { loadBody, storeBody } from "./webhookBodies";
import { type ItemScope, openScope, resolveScope, type SignedBy } from "./webhookScope";
import { findSigner, namedAccounts, type Signer } from "./webhookSigners";

/** What the sender of a delivery is told. */
export const ingestOutcome = v.union(
  v.literal("accepted"),
  v.literal("duplicate"),
  v.literal("unauthorized"),
  v.literal("too_large"),
);
export type IngestOutcome = Infer<typeof ingestOutcome>;

/** Raised when the reader learns more, so that what an older one could not read can be found and read again. */
const READER_VERSION = 2;

/** Bodies that one step of the walk over outdated ones reads: up to 4 MiB each, of 16 MiB per transaction. */
const OUTDATED_LOGS_MAX = 1;

/** Meta repeats a delivery for up to 7 days; a day more covers its clock and ours. */
const SAME_BODY_MS = 8 * DAY_MS;

/** Items applied before the sender gets its answer. Meta's deliveries hold one or two; larger ones are applied after it. */
const INLINE_ITEMS_MAX = 20;

/** Items applied in one later transaction: each costs about 20 index reads of the 4,096 that a transaction may do. */
export const BATCH_ITEMS_MAX = 50;

/**
 * Takes one delivery: verify, store the raw bytes, apply. All in one transaction, so that the answer "accepted" means
 * that the delivery is durable, and a delivery that is stored was verified. A refusal is a value; of a wrong signature only the time is kept.
 */
export async function ingestBody(
  ctx: MutationCtx,
  delivery: { body: ArrayBuffer; signature: string | null },
  now: number,
): Promise<IngestOutcome> {
  const { body, signature } = delivery;
  if (body.byteLength > WEBHOOK_BODY_BYTES_MAX) return "too_large";
  if (parseSignatureHeader(signature) === null) return "unauthorized";
  const signer = await findSigner(ctx, body, signature, now);
  if (signer === null) {
    const named = await namedAccounts(ctx, body);
    await noteBadSignature(
      ctx,
      named.map(({ _id }) => _id),
      now,
    );
    return "unauthorized";
  }
  const sha256 = toHex(await crypto.subtle.digest("SHA-256", body));
  if (await isKnownBody(ctx, sha256, signer, now)) return "duplicate";
  const { items, omitted } = readWebhookBody(body);
  const arrived: ArrivedBody = {
    sha256,
    signedBy: signer.label,
    accountIds: [...signer.accountIds],
    receivedAt: now,
    bodyBytes: body.byteLength,
    itemCount: items.length,
    readerVersion: READER_VERSION,
    ...(omitted > 0 && { reason: "items_omitted" }),
  };
  if (items.length <= INLINE_ITEMS_MAX) await applyWhole(ctx, arrived, body, items, signer.named, now);
  else await applyLater(ctx, arrived, body);
  return "accepted";
}

/** What is known of a delivery before its items are applied. */
type ArrivedBody = Omit<
  Doc<"webhookLogs">,
  "_id" | "_creationTime" | "state" | "itemsDone" | "itemsDead" | "bodyStored"
>;

/** Nearly every delivery: its items are applied first, so that its log is written once and as it stays. */
async function applyWhole(
  ctx: MutationCtx,
  arrived: ArrivedBody,
  body: ArrayBuffer,
  items: readonly WebhookItem[],
  named: readonly Doc<"accounts">[],
  now: number,
): Promise<void> {
  const results: { kind: string; applied: Applied }[] = [];
  for (const item of items) {
    results.push({ kind: item.kind, applied: await applyForAccount(ctx, arrived, item, named, now) });
  }
  const { itemsDead, reason, concerned } = sumOf(results.map(({ applied }) => applied));
  const state = finalState(itemsDead, items.length);
  const isForgotten = state === "processed" && (await keepsNoBodies(ctx, concerned));
  const logId = await ctx.db.insert("webhookLogs", {
    ...arrived,
    ...defined({ reason: arrived.reason ?? reason }),
    state,
    itemsDone: items.length,
    itemsDead,
    bodyStored: !isForgotten,
  });
  if (isForgotten) return;
  await storeBody(ctx, logId, body);
  for (const [position, { kind, applied }] of results.entries()) {
    await ctx.db.insert("webhookItems", itemRow(logId, position, kind, applied));
  }
}

/** A large delivery: Meta gets its answer as soon as the body is stored. */
async function applyLater(ctx: MutationCtx, arrived: ArrivedBody, body: ArrayBuffer): Promise<void> {
  const progress = { state: "received", itemsDone: 0, itemsDead: 0, bodyStored: true } as const;
  const logId = await ctx.db.insert("webhookLogs", { ...arrived, ...progress });
  await storeBody(ctx, logId, body);
  await ctx.scheduler.runAfter(0, internal.ingest.applyBatch, { logId });
}

async function isKnownBody(ctx: MutationCtx, sha256: string, signer: Signer, now: number): Promise<boolean> {
  const known = await ctx.db
    .query("webhookLogs")
    .withIndex("by_sha256", (q) =>
      q
        .eq("sha256", sha256)
        .eq("signedBy", signer.label)
        .gt("receivedAt", now - SAME_BODY_MS),
    )
    .first();
  return known !== null;
}

/** Applies the next items of a stored body and schedules itself until all are done. */
export async function applyStoredBatch(
  ctx: MutationCtx,
  logId: Id<"webhookLogs">,
  now: number,
): Promise<void> {
  const log = await ctx.db.get(logId);
  if (log === null || !log.bodyStored || log.itemsDone >= log.itemCount) return;
  const { items } = readWebhookBody(await loadBody(ctx, logId));
  await applySome(ctx, log, items.slice(log.itemsDone, log.itemsDone + BATCH_ITEMS_MAX), now);
  if (log.itemsDone + BATCH_ITEMS_MAX < log.itemCount) {
    await ctx.scheduler.runAfter(0, internal.ingest.applyBatch, { logId });
  }
}

async function applySome(
  ctx: MutationCtx,
  log: Doc<"webhookLogs">,
  items: readonly WebhookItem[],
  now: number,
): Promise<void> {
  const results: Applied[] = [];
  for (const item of items) {
    const applied = await applyForAccount(ctx, log, item, [], now);
    await recordItem(ctx, log._id, log.itemsDone + results.length, item.kind, applied);
    results.push(applied);
  }
  const { itemsDead, reason, concerned } = sumOf(results);
  const itemsDone = log.itemsDone + items.length;
  const done = itemsDone >= log.itemCount;
  const dead = log.itemsDead + itemsDead;
  const changes = {
    itemsDone,
    itemsDead: dead,
    reason: log.reason ?? reason,
    ...(done && { state: finalState(dead, log.itemCount) }),
  };
  await ctx.db.patch(log._id, changes);
  if (changes.state === "processed" && (await keepsNoBodies(ctx, concerned))) await removeBody(ctx, log._id);
}

/** What a list of items comes to: how many could not be applied, the first reason, and whose they are. */
function sumOf(results: readonly Applied[]) {
  const dead = results.filter(({ outcome }) => outcome.state === "dead");
  const concerned = results.map(({ accountId }) => accountId).filter((id) => id !== undefined);
  return { itemsDead: dead.length, reason: dead[0]?.outcome.reason, concerned };
}

/** One row per position; reading a body again writes over what its first reading left there. */
async function recordItem(
  ctx: MutationCtx,
  logId: Id<"webhookLogs">,
  position: number,
  kind: string,
  applied: Applied,
): Promise<void> {
  const row = itemRow(logId, position, kind, applied);
  const known = await ctx.db
    .query("webhookItems")
    .withIndex("by_log", (q) => q.eq("logId", logId).eq("position", position))
    .unique();
  if (known === null) await ctx.db.insert("webhookItems", row);
  else await ctx.db.replace(known._id, row);
}

function itemRow(
  logId: Id<"webhookLogs">,
  position: number,
  kind: string,
  { accountId, outcome: { state, reason, contactId } }: Applied,
) {
  return { logId, position, kind, state, ...defined({ accountId, reason, contactId }) };
}

function finalState(itemsDead: number, itemCount: number): Doc<"webhookLogs">["state"] {
  if (itemsDead === 0) return "processed";
  return itemsDead < itemCount ? "partial" : "dead";
}

/**
 * Applies one parked item again: after the number was connected, the account switched on, or a mistake of ours mended.
 * A body that an older reader read is read again as a whole. Returns what became of it; an item that is not parked, or
 * whose body is gone, stays as it is.
 */
export async function reapplyItem(
  ctx: MutationCtx,
  row: Doc<"webhookItems">,
  now: number,
): Promise<Doc<"webhookItems">["state"]> {
  const log = await ctx.db.get(row.logId);
  if (row.state !== "dead" || log === null || !log.bodyStored || log.state === "received") return row.state;
  if (log.readerVersion < READER_VERSION) {
    await readAgain(ctx, log);
    return row.state;
  }
  const { items } = readWebhookBody(await loadBody(ctx, log._id));
  const item = items[row.position];
  if (item === undefined) return row.state;
  const applied = await applyForAccount(ctx, log, item, [], now);
  await recordItem(ctx, log._id, row.position, item.kind, applied);
  if (applied.outcome.state === "dead") return "dead";
  const itemsDead = Math.max(0, log.itemsDead - 1);
  await ctx.db.patch(log._id, {
    itemsDead,
    state: finalState(itemsDead, log.itemCount),
    ...(itemsDead === 0 && { reason: undefined }),
  });
  return applied.outcome.state;
}

/**
 * Reads again, with the present reader, the bodies in which an older one could not apply everything. One step of a
 * walk over a few of them; returns whether there may be more. What was applied before is known and stays as it is.
 */
export async function reapplyOutdated(ctx: MutationCtx): Promise<boolean> {
  let found = 0;
  for (const state of ["partial", "dead"] as const) {
    const logs = await ctx.db
      .query("webhookLogs")
      .withIndex("by_state_reader", (q) => q.eq("state", state).lt("readerVersion", READER_VERSION))
      .take(OUTDATED_LOGS_MAX);
    for (const log of logs) await readAgain(ctx, log);
    found += logs.length;
  }
  return found > 0;
}

async function readAgain(ctx: MutationCtx, log: Doc<"webhookLogs">): Promise<void> {
  // Without its body nothing can be read again; the version says that this was found out.
  if (!log.bodyStored) return await ctx.db.patch(log._id, { readerVersion: READER_VERSION });
  const { items } = readWebhookBody(await loadBody(ctx, log._id));
  await ctx.db.patch(log._id, {
    readerVersion: READER_VERSION,
    state: "received",
    itemCount: items.length,
    itemsDone: 0,
    itemsDead: 0,
    reason: undefined,
  });
  await ctx.scheduler.runAfter(0, internal.ingest.applyBatch, { logId: log._id });
}

interface Applied {
  accountId?: Id<"accounts">;
  outcome: ItemOutcome;
}

/** Applies an item if the secret that verified the body counts for the number or account that the item names. */
async function applyForAccount(
  ctx: MutationCtx,
  log: SignedBy,
  item: WebhookItem,
  named: readonly Doc<"accounts">[],
  now: number,
): Promise<Applied> {
  if (item.kind === "other" && item.reason !== "field") {
    return { outcome: { state: "dead", reason: item.reason } };
  }
  const resolved = await resolveScope(ctx, log, item, named);
  const accountId = resolved.kind === "waba" ? {} : defined({ accountId: resolved.accountId });
  if (resolved.kind === "refused") return { ...accountId, outcome: resolved.outcome };
  return { ...accountId, outcome: await applyAlone(ctx, resolved, item, now) };
}

/** The item as a subtransaction: whatever happens in it, its neighbours are not touched. */
async function applyAlone(
  ctx: MutationCtx,
  scope: ItemScope,
  item: WebhookItem,
  now: number,
): Promise<ItemOutcome> {
  try {
    return await ctx.runMutation(internal.ingest.applyItem, { scope, item: JSON.stringify(item), now });
  } catch (error) {
    const code = error instanceof ConvexError && isAppErrorData(error.data) ? error.data.code : "internal";
    return { state: "dead", reason: code };
  }
}

/** The body of the subtransaction. */
export async function applyItemText(
  ctx: MutationCtx,
  args: { scope: ItemScope; item: string; now: number },
): Promise<ItemOutcome> {
  const scope = await openScope(ctx, args.scope);
  if (scope === null) return { state: "dead", reason: "unknown_number" };
  return await applyItem(ctx, scope, parseItem(args.item), args.now);
}

function parseItem(text: string): WebhookItem {
  // Written by `applyAlone` in the same transaction from an item of the reader; nothing else can call this.
  return JSON.parse(text) as WebhookItem;
}
