import type { Infer } from "convex/values";
import { constantTimeEqual, fromBase64Url, toBase64Url } from "#shared/bytes";
import { hmacSha256 } from "#shared/signature";
import { MINUTE_MS } from "#shared/time";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import type { confirmationAnswer } from "../tables/confirmations";
import { recordAudit } from "./audit";
import { FLAGGED_WINDOW_MS, hasReadFlagged, hasReadNewFlagged, needsConfirmations } from "./flaggedReads";
import type { Caller } from "./identity";
import { recordRefusal } from "./refusalLog";
import { secretsKeys } from "./secrets";

/** Long enough to show a person a message and hear what they say; whoever is asked later is asked anew. */
const TOKEN_LIFE_MS = 10 * MINUTE_MS;

/** Open questions of one key; a person answers one at a time, so the oldest gives way. */
const OPEN_MAX = 50;

/** Rows of one run of the cron. */
const BATCH_ROWS_MAX = 200;

/** Bytes of the token's signature: 128 bits cannot be guessed within its life. */
const MAC_BYTES = 16;
const PURPOSE = "pons send confirmation v1";
const SEPARATOR = ".";

type Confirmation = Doc<"sendConfirmations">;
type Answer = Infer<typeof confirmationAnswer>;

/** The send that may need a confirmation: exactly this content of this key to this recipient. */
export interface Confirmable {
  key: Doc<"apiKeys">;
  accountId: Id<"accounts">;
  /** Id of the contact, or the phone number of somebody who never wrote. */
  recipient: string;
  contentHash: string;
}

/**
 * Whether the send may go without asking (null), was confirmed by this token (its row), or must be confirmed first
 * ("needed"). A token that is wrong, foreign, for another send, over, declined or used up is like none. Reads only.
 */
export async function checkConfirmation(
  ctx: QueryCtx,
  send: Confirmable,
  token: string | undefined,
  now: number,
): Promise<Confirmation | null | "needed"> {
  const { key, recipient } = send;
  if (!needsConfirmations(key) || !(await hasReadFlagged(ctx, key._id, recipient, now))) return null;
  const last = await lastConfirmed(ctx, key._id, recipient, now);
  if (last !== null && !(await hasReadNewFlagged(ctx, key._id, recipient, last))) return null;
  const row = token === undefined ? null : await findOpen(ctx, key._id, token, now);
  return row !== null && isFor(row, send) ? row : "needed";
}

const isFor = (row: Confirmation, send: Confirmable): boolean =>
  row.accountId === send.accountId &&
  row.recipient === send.recipient &&
  row.contentHash === send.contentHash;

/** When the last confirmed send to the recipient was taken (ms), if that counts still. */
async function lastConfirmed(
  ctx: QueryCtx,
  apiKeyId: Id<"apiKeys">,
  recipient: string,
  now: number,
): Promise<number | null> {
  const row = await ctx.db
    .query("sendConfirmations")
    .withIndex("by_key_recipient_used", (q) =>
      q
        .eq("apiKeyId", apiKeyId)
        .eq("recipient", recipient)
        .gt("usedAt", now - FLAGGED_WINDOW_MS),
    )
    .order("desc")
    .first();
  return row?.usedAt ?? null;
}

/**
 * Opens a question about the send, or takes the one that is open for the very same send, and gives its token. Whoever
 * said no to it a moment ago is not asked again: "declined".
 */
export async function askConfirmation(
  ctx: MutationCtx,
  send: Confirmable,
  now: number,
): Promise<{ token: string; expiresAt: number } | "declined"> {
  const { key, accountId, recipient, contentHash } = send;
  const open = await ctx.db
    .query("sendConfirmations")
    .withIndex("by_key_used", (q) => q.eq("apiKeyId", key._id).eq("usedAt", undefined))
    .take(OPEN_MAX);
  const asked = open.filter((row) => isFor(row, send) && row.expiresAt > now);
  if (asked.some(({ answer }) => answer === "declined")) return "declined";
  const same = asked.find(({ answer }) => answer === undefined);
  if (same !== undefined) return { token: await tokenOf(same), expiresAt: same.expiresAt };
  const [oldest] = open;
  if (open.length === OPEN_MAX && oldest !== undefined) await ctx.db.delete(oldest._id);
  const id = await ctx.db.insert("sendConfirmations", {
    ...{ apiKeyId: key._id, accountId, recipient, contentHash },
    expiresAt: now + TOKEN_LIFE_MS,
  });
  const row = await ctx.db.get(id);
  if (row === null) throw new Error("A confirmation was lost in the transaction that made it.");
  await recordRefusal(ctx, { ...lineOf(ctx, row, now), reason: "confirmation_required" });
  return { token: await tokenOf(row), expiresAt: row.expiresAt };
}

/**
 * The confirmed send was taken: the token is used up, and further sends to this contact go unasked until the key reads
 * something new. A number that never wrote is known by its contact from now on.
 */
export async function spendConfirmation(
  ctx: MutationCtx,
  row: Confirmation,
  contactId: Id<"contacts">,
  now: number,
): Promise<void> {
  await ctx.db.patch(row._id, { usedAt: now, recipient: contactId, expiresAt: now + FLAGGED_WINDOW_MS });
  // Where the client asked the person, the answer has its line already.
  if (row.answer === undefined) await audit(ctx, { ...row, recipient: contactId }, "confirmed", now, "token");
}

/** Notes what the person said whom the client asked. Saying it again, or about a token that is over, changes nothing. */
export async function answerConfirmation(
  ctx: MutationCtx,
  caller: Caller,
  { token, answer }: { token: string; answer: Answer },
  now: number,
): Promise<void> {
  const row = await findOpen(ctx, caller.apiKeyId, token, now);
  if (row === null || row.answer !== undefined) return;
  await ctx.db.patch(row._id, { answer });
  const outcome = answer === "accepted" ? "confirmed" : "declined";
  await audit(ctx, row, outcome, now, answer === "dismissed" ? "no_answer" : "person");
}

/** What the person said so far; "over" for a token that is none (any more). A query has no clock, so it may be past its end. */
export async function readConfirmation(
  ctx: QueryCtx,
  caller: Caller,
  token: string,
): Promise<"waiting" | Answer | "over"> {
  const row = await findSigned(ctx, caller.apiKeyId, token);
  return row === null || row.usedAt !== undefined ? "over" : (row.answer ?? "waiting");
}

async function findOpen(
  ctx: QueryCtx,
  apiKeyId: Id<"apiKeys">,
  token: string,
  now: number,
): Promise<Confirmation | null> {
  const row = await findSigned(ctx, apiKeyId, token);
  if (row === null || row.usedAt !== undefined || row.expiresAt <= now) return null;
  return row.answer === undefined || row.answer === "accepted" ? row : null;
}

/** The row that the token names, if it was made for this key. */
async function findSigned(
  ctx: QueryCtx,
  apiKeyId: Id<"apiKeys">,
  token: string,
): Promise<Confirmation | null> {
  const [name = "", mac = ""] = token.split(SEPARATOR);
  const id = ctx.db.normalizeId("sendConfirmations", name);
  const row = id === null ? null : await ctx.db.get(id);
  if (row === null || row.apiKeyId !== apiKeyId) return null;
  const claimed = fromBase64Url(mac) ?? new Uint8Array(0);
  for (const { bytes } of secretsKeys()) if (constantTimeEqual(await macOf(bytes, row), claimed)) return row;
  return null;
}

/**
 * The id of the row and a signature of it: a mutation has no randomness that nobody could foresee, but it has a secret.
 */
async function tokenOf(row: Confirmation): Promise<string> {
  const [key] = secretsKeys();
  if (key === undefined) throw new Error("SECRETS_KEYS has no key.");
  return row._id + SEPARATOR + toBase64Url(await macOf(key.bytes, row));
}

async function macOf(masterKey: Uint8Array, row: Confirmation): Promise<Uint8Array> {
  const key = await hmacSha256(masterKey, PURPOSE);
  return (await hmacSha256(key, JSON.stringify([row._id, row.apiKeyId, row.contentHash]))).slice(
    0,
    MAC_BYTES,
  );
}

async function audit(
  ctx: MutationCtx,
  row: Confirmation,
  outcome: "confirmed" | "declined",
  at: number,
  reason: "person" | "no_answer" | "token",
): Promise<void> {
  await recordAudit(ctx, { ...lineOf(ctx, row, at), outcome, reason });
}

/** What every line about a confirmation says; that it was asked for stands there as the refusal that it is. */
function lineOf(ctx: QueryCtx, { _id, accountId, apiKeyId, recipient }: Confirmation, at: number) {
  const contactId = ctx.db.normalizeId("contacts", recipient);
  return {
    accountId,
    principal: `key:${apiKeyId}`,
    action: "message.confirmation",
    subject: _id,
    at,
    ...(contactId !== null && { target: contactId }),
  };
}

/** Removes what is past its time. Returns whether there may be more. */
export async function removeOldConfirmations(ctx: MutationCtx, now: number): Promise<boolean> {
  const rows = await ctx.db
    .query("sendConfirmations")
    .withIndex("by_expires_at", (q) => q.lt("expiresAt", now))
    .take(BATCH_ROWS_MAX);
  for (const { _id } of rows) await ctx.db.delete(_id);
  return rows.length === BATCH_ROWS_MAX;
}
