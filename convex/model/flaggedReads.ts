import { type Infer, v } from "convex/values";
import { HOUR_MS } from "#shared/time";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { fail } from "./errors";
import { mayReachCustomers } from "./grants";
import type { Caller } from "./identity";

/**
 * How long a text that was shown may still be at work: an agent keeps what it has read for the length of a session,
 * and whoever comes back later reads anew.
 */
export const FLAGGED_WINDOW_MS = HOUR_MS;

/** Customers of one call; a page of any tool has at most 50 rows. */
const SOURCES_MAX = 100;

/** Digests that are remembered for a customer; with more texts the oldest counts as new when it is shown again. */
const TEXT_HASHES_MAX = 200;

/** 128 bits in hexadecimal: nobody can write two texts that are taken for one. */
const TEXT_HASH_FORM = /^[0-9a-f]{32}$/;

/** Rows of one run of the cron. */
const BATCH_ROWS_MAX = 200;

/** Texts of one customer that are about to be shown to a key. A file names the message that it came with. */
export const shownTexts = v.object({
  source: v.union(v.object({ contact: v.string() }), v.object({ message: v.string() })),
  textHashes: v.array(v.string()),
});

/**
 * Notes that texts which call for a confirmation are about to be shown to a key. Sources that are not the key's are
 * passed over in silence, so that nothing is learnt from them. Throws `invalid_request` for more than one page holds.
 */
export async function noteFlagged(
  ctx: MutationCtx,
  caller: Caller,
  shown: readonly Infer<typeof shownTexts>[],
  now: number,
): Promise<void> {
  const isSound = shown.every(({ textHashes }) => textHashes.every((hash) => TEXT_HASH_FORM.test(hash)));
  if (shown.length > SOURCES_MAX || !isSound) fail("invalid_request", { field: "shown" });
  if (!needsConfirmations(caller.key)) return;
  for (const { source, textHashes } of shown) {
    const contact = await contactOf(ctx, source);
    if (contact === null || !caller.grantedAccountIds.includes(contact.accountId)) continue;
    await noteContact(ctx, caller.apiKeyId, contact, textHashes, now);
  }
}

/** Whether sends of the key are held to the rule: not when it is switched off, nor when the key cannot send at all. */
export function needsConfirmations(key: Doc<"apiKeys">): boolean {
  return key.confirmAfter !== "nothing" && mayReachCustomers(key);
}

async function contactOf(
  ctx: QueryCtx,
  source: Infer<typeof shownTexts>["source"],
): Promise<Doc<"contacts"> | null> {
  if ("contact" in source) return await contactById(ctx, source.contact);
  const messageId = ctx.db.normalizeId("messages", source.message);
  const message = messageId === null ? null : await ctx.db.get(messageId);
  const conversation = message === null ? null : await ctx.db.get(message.conversationId);
  return conversation === null ? null : await ctx.db.get(conversation.contactId);
}

async function contactById(ctx: QueryCtx, text: string): Promise<Doc<"contacts"> | null> {
  const contactId = ctx.db.normalizeId("contacts", text);
  return contactId === null ? null : await ctx.db.get(contactId);
}

async function noteContact(
  ctx: MutationCtx,
  apiKeyId: Id<"apiKeys">,
  { _id: contactId, accountId }: Doc<"contacts">,
  textHashes: readonly string[],
  now: number,
): Promise<void> {
  const row = await ctx.db
    .query("flaggedReads")
    .withIndex("by_key_contact", (q) => q.eq("apiKeyId", apiKeyId).eq("contactId", contactId))
    .unique();
  const expiresAt = now + FLAGGED_WINDOW_MS;
  if (row === null) {
    const first = { apiKeyId, accountId, contactId, shownAt: now, newAt: now, expiresAt };
    await ctx.db.insert("flaggedReads", { ...first, textHashes: textHashes.slice(0, TEXT_HASHES_MAX) });
    return;
  }
  const fresh = textHashes.filter((hash) => !row.textHashes.includes(hash));
  await ctx.db.patch(row._id, {
    shownAt: now,
    expiresAt,
    ...(fresh.length > 0 && {
      newAt: now,
      textHashes: [...fresh, ...row.textHashes].slice(0, TEXT_HASHES_MAX),
    }),
  });
}

/** Whether the key was shown such a text of somebody else than the recipient, so recently that it may be at work. */
export async function hasReadFlagged(
  ctx: QueryCtx,
  apiKeyId: Id<"apiKeys">,
  recipient: string,
  now: number,
): Promise<boolean> {
  const rows = await ctx.db
    .query("flaggedReads")
    .withIndex("by_key_shown", (q) => q.eq("apiKeyId", apiKeyId).gt("shownAt", now - FLAGGED_WINDOW_MS))
    .take(2);
  return rows.some(({ contactId }) => contactId !== recipient);
}

/** Whether a text of somebody else than the recipient was shown to the key for the first time since a moment (ms). */
export async function hasReadNewFlagged(
  ctx: QueryCtx,
  apiKeyId: Id<"apiKeys">,
  recipient: string,
  since: number,
): Promise<boolean> {
  const rows = await ctx.db
    .query("flaggedReads")
    .withIndex("by_key_new", (q) => q.eq("apiKeyId", apiKeyId).gte("newAt", since))
    .take(2);
  return rows.some(({ contactId }) => contactId !== recipient);
}

/** Removes what is past its time. Returns whether there may be more. */
export async function removeOldFlaggedReads(ctx: MutationCtx, now: number): Promise<boolean> {
  const rows = await ctx.db
    .query("flaggedReads")
    .withIndex("by_expires_at", (q) => q.lt("expiresAt", now))
    .take(BATCH_ROWS_MAX);
  for (const { _id } of rows) await ctx.db.delete(_id);
  return rows.length === BATCH_ROWS_MAX;
}
