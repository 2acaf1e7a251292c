import { v } from "convex/values";
import { defined } from "#shared/defined";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { contactName } from "./contactName";
import { fail } from "./errors";
import { appendEvent } from "./events";

/**
 * Notes that two contacts may be one person. One row per pair: what was decided about it once stays decided.
 */
export async function suggestDuplicate(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  pair: readonly [Id<"contacts">, Id<"contacts">],
  reason: Doc<"contactDuplicates">["reason"],
  seen: { at: number; wamid?: string } | undefined,
): Promise<void> {
  const [firstId, secondId] = pair[0] < pair[1] ? pair : [pair[1], pair[0]];
  if (firstId === secondId) return;
  const known = await ctx.db
    .query("contactDuplicates")
    .withIndex("by_pair", (q) => q.eq("accountId", accountId).eq("firstId", firstId).eq("secondId", secondId))
    .unique();
  if (known !== null) return;
  const duplicateId = await ctx.db.insert("contactDuplicates", {
    accountId,
    firstId,
    secondId,
    reason,
    state: "open",
    suggestedAt: seen?.at ?? 0,
    ...defined({ wamid: seen?.wamid }),
  });
  await appendEvent(ctx, {
    accountId,
    type: "contact.duplicate.suggested",
    dedupeKey: `${firstId}:${secondId}`,
    occurredAt: seen?.at ?? 0,
    payload: { duplicate: { id: duplicateId, reason, contactIds: [firstId, secondId] } },
  });
}

/** Open suggestions that a list shows, and that are looked at for one contact. */
const SUGGESTIONS_MAX = 100;

const someone = v.object({
  id: v.id("contacts"),
  name: v.string(),
  phone: v.optional(v.string()),
  username: v.optional(v.string()),
});
export const duplicateView = v.object({
  id: v.id("contactDuplicates"),
  reason: v.union(v.literal("same_sender"), v.literal("number_changed"), v.literal("id_changed")),
  suggestedAt: v.number(),
  /** The message that named both. */
  wamid: v.optional(v.string()),
  first: someone,
  second: someone,
});

/** The pairs that nobody has decided about, newest first. */
export async function listDuplicates(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
): Promise<(typeof duplicateView.type)[]> {
  const rows = await ctx.db
    .query("contactDuplicates")
    .withIndex("by_account_state", (q) => q.eq("accountId", accountId).eq("state", "open"))
    .order("desc")
    .take(SUGGESTIONS_MAX);
  const views = await Promise.all(
    rows.map(async ({ _id, reason, suggestedAt, wamid, firstId, secondId }) => {
      const [first, second] = [await ctx.db.get(firstId), await ctx.db.get(secondId)];
      if (first === null || second === null) return null;
      const pair = { first: viewSomeone(first), second: viewSomeone(second) };
      return { id: _id, reason, suggestedAt, ...pair, ...defined({ wamid }) };
    }),
  );
  return views.filter((view) => view !== null);
}

function viewSomeone(contact: Doc<"contacts">): typeof someone.type {
  const { _id, phone, username } = contact;
  return { id: _id, name: contactName(contact), ...defined({ phone, username }) };
}

/** The pair, if it belongs to the account. Throws `not_found`, the same for missing and foreign. */
export async function requireDuplicate(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  duplicateId: Id<"contactDuplicates">,
): Promise<Doc<"contactDuplicates">> {
  const row = await ctx.db.get(duplicateId);
  return row?.accountId === accountId ? row : fail("not_found");
}

/** A member says that the two are different people. Saying it again changes nothing; a merge is not taken back. */
export async function dismissDuplicate(
  ctx: MutationCtx,
  row: Doc<"contactDuplicates">,
  userId: string,
  now: number,
): Promise<void> {
  if (row.state === "dismissed") return;
  if (row.state !== "open") fail("conflict", { say: "The two were joined already." });
  await decideDuplicate(ctx, row, { state: "dismissed", userId }, now);
}

/** Writes down what was decided about a pair, or how far it has come. */
export async function decideDuplicate(
  ctx: MutationCtx,
  { _id }: Doc<"contactDuplicates">,
  decision: Pick<Doc<"contactDuplicates">, "state"> &
    Partial<Pick<Doc<"contactDuplicates">, "keptId" | "moved">> & { userId?: string },
  now: number,
): Promise<void> {
  const { state, keptId, moved, userId } = decision;
  await ctx.db.patch(_id, { state, decidedAt: now, ...defined({ keptId, moved, decidedBy: userId }) });
}

/** Ends the other suggestions about a contact that is one with another now; new webhooks suggest what is still true. */
export async function dismissOthers(
  ctx: MutationCtx,
  decided: Doc<"contactDuplicates">,
  contactId: Id<"contacts">,
  now: number,
): Promise<void> {
  for (const row of await duplicatesOf(ctx, decided.accountId, contactId)) {
    if (row._id !== decided._id && row.state === "open")
      await decideDuplicate(ctx, row, { state: "dismissed" }, now);
  }
}

/** The pairs that name a contact. */
export async function duplicatesOf(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  contactId: Id<"contacts">,
): Promise<Doc<"contactDuplicates">[]> {
  const asFirst = await ctx.db
    .query("contactDuplicates")
    .withIndex("by_pair", (q) => q.eq("accountId", accountId).eq("firstId", contactId))
    .take(SUGGESTIONS_MAX);
  const asSecond = await ctx.db
    .query("contactDuplicates")
    .withIndex("by_second", (q) => q.eq("secondId", contactId))
    .take(SUGGESTIONS_MAX);
  return [...asFirst, ...asSecond];
}
