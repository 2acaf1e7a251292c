import { defined } from "#shared/defined";
import { isBlocked } from "#shared/domain/consent-state";
import { laterWindow } from "#shared/domain/window";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { addressesOf, joinBlocks } from "./blocks";
import { consentOf, joinConsent, recordConsent } from "./consent";
import { decideDuplicate, dismissOthers, requireDuplicate } from "./contactDuplicates";
import { ensureConversation, findConversationOf } from "./conversations";
import { fail } from "./errors";
import { appendEvent } from "./events";
import { requestJob, type StepResult } from "./jobs";
import { eventContact } from "./messageEvents";
import { refreshUnanswered } from "./unanswered";

/**
 * Makes two contacts one, because a person says that they are. Whoever writes under a name of either is the kept
 * contact from the decision on; what was said before follows in batches. A step takes whatever is still there, so one
 * that is done again does no harm, and what arrives meanwhile is taken along.
 */

/** A message takes about three reads and writes, and up to 64 KiB of the 16 MiB that a transaction may read. */
const MESSAGES_MAX = 40;
/** Small rows that one step moves. */
const ROWS_MAX = 100;
/** Identities of one person; as in an erasure. */
const IDENTITIES_MAX = 100;
/** Addresses of one person at Meta; each beyond the first took a decision of a member. */
const ADDRESSES_MAX = 20;
/** Members of an account that have looked at one conversation. */
const SEEN_MAX = 500;

/**
 * Carries out a member's decision that a suggested pair is one person. Returns the job that moves what was said. Throws
 * `not_found`, or `conflict` when the pair was decided already or one of the two is gone.
 */
export async function acceptDuplicate(
  ctx: MutationCtx,
  accountId: Id<"accounts">,
  decision: { duplicateId: Id<"contactDuplicates">; keep: "first" | "second"; userId: string },
  now: number,
): Promise<Id<"jobs">> {
  const row = await requireDuplicate(ctx, accountId, decision.duplicateId);
  const [keptId, mergedId] =
    decision.keep === "first" ? [row.firstId, row.secondId] : [row.secondId, row.firstId];
  const [kept, merged] = [await ctx.db.get(keptId), await ctx.db.get(mergedId)];
  const isOpen = row.state === "open" && kept?.mergedInto === undefined && merged?.mergedInto === undefined;
  if (kept === null || merged === null || !isOpen) {
    fail("conflict", { say: "This pair was decided already, or one of the two is gone." });
  }
  await joinPeople(ctx, kept, merged);
  const wasBlocked = {
    kept: isBlocked(await consentOf(ctx, kept)),
    merged: isBlocked(await consentOf(ctx, merged)),
  };
  await joinConsent(ctx, kept, merged);
  await joinBlocks(ctx, kept, merged, wasBlocked, now);
  const conversation = await findConversationOf(ctx, merged);
  if (conversation !== null) await ensureConversation(ctx, kept);
  await decideDuplicate(ctx, row, { state: "merging", keptId, userId: decision.userId }, now);
  await dismissOthers(ctx, row, mergedId, now);
  await appendEvent(ctx, {
    accountId,
    type: "contact.updated",
    source: "pons",
    dedupeKey: `${keptId}:merged:${mergedId}`,
    occurredAt: now,
    payload: { contact: eventContact((await ctx.db.get(keptId)) ?? kept), mergedContactId: mergedId },
  });
  return await requestJob(
    ctx,
    {
      accountId,
      kind: "merge",
      requestedBy: `user:${decision.userId}`,
      contactId: mergedId,
      intoId: keptId,
      ...(conversation !== null && { conversationId: conversation._id }),
    },
    now,
  );
}

/** Gives the kept contact the names of the other, which from now on only points at it. */
async function joinPeople(ctx: MutationCtx, kept: Doc<"contacts">, merged: Doc<"contacts">): Promise<void> {
  const identities = await ctx.db
    .query("contactIdentities")
    .withIndex("by_contact", (q) => q.eq("contactId", merged._id))
    .take(IDENTITIES_MAX);
  for (const identity of identities) {
    // A contact has one username; the kept one's stays.
    const isSecondName = identity.kind === "username" && kept.username !== undefined;
    if (isSecondName) await ctx.db.delete(identity._id);
    else await ctx.db.patch(identity._id, { contactId: kept._id });
  }
  const { profileName, username, phone, waId, userId, parentUserId, nameAt, usernameAt, userIdAt } = merged;
  const ownAddress = kept.phone ?? phone ?? kept.userId ?? userId;
  const addresses = new Set([...addressesOf(kept), ...addressesOf(merged)]);
  const otherAddresses = [...addresses].filter((address) => address !== ownAddress);
  await ctx.db.patch(kept._id, {
    otherAddresses: otherAddresses.slice(0, ADDRESSES_MAX),
    ...(kept.profileName === undefined && defined({ profileName, nameAt })),
    ...(kept.username === undefined && defined({ username, usernameAt })),
    ...(kept.userId === undefined && defined({ userId, userIdAt })),
    ...(kept.phone === undefined && defined({ phone })),
    ...(kept.waId === undefined && defined({ waId })),
    ...(kept.parentUserId === undefined && defined({ parentUserId })),
  });
  await ctx.db.patch(merged._id, { mergedInto: kept._id });
}

/** Does the next part of a merge. Once there is nothing left to move, the same transaction ends it. */
export async function mergeStep(ctx: MutationCtx, job: Doc<"jobs">, now: number): Promise<StepResult> {
  const kept = job.intoId === undefined ? null : await ctx.db.get(job.intoId);
  const merged = job.contactId === undefined ? null : await ctx.db.get(job.contactId);
  if (kept === null || merged === null) return { state: "over", rows: 0 };
  const from = await findConversationOf(ctx, merged);
  if (from !== null) {
    const to = await ensureConversation(ctx, kept);
    const moved =
      (await moveSends(ctx, from, to)) ||
      (await moveMessages(ctx, from, to)) ||
      (await moveNotes(ctx, from, to));
    if (moved > 0) return { state: "more", step: "move", rows: moved };
  }
  const moved = await moveRowsOfContact(ctx, kept, merged);
  if (moved > 0) return { state: "more", step: "move", rows: moved };
  if (from !== null) await closeConversation(ctx, from, await ensureConversation(ctx, kept));
  await ctx.db.patch(merged._id, {
    ...{ profileName: undefined, username: undefined, phone: undefined, waId: undefined },
    ...{ userId: undefined, parentUserId: undefined, otherAddresses: undefined },
    ...(from !== null && { mergedConversationId: from._id }),
  });
  await decideMerged(ctx, job, kept, merged, now);
  return { state: "over", rows: 0 };
}

async function decideMerged(
  ctx: MutationCtx,
  job: Doc<"jobs">,
  kept: Doc<"contacts">,
  merged: Doc<"contacts">,
  now: number,
): Promise<void> {
  const [firstId, secondId] = kept._id < merged._id ? [kept._id, merged._id] : [merged._id, kept._id];
  const row = await ctx.db
    .query("contactDuplicates")
    .withIndex("by_pair", (q) =>
      q.eq("accountId", job.accountId).eq("firstId", firstId).eq("secondId", secondId),
    )
    .unique();
  if (row !== null) await decideDuplicate(ctx, row, { state: "merged", moved: job.done }, now);
}

type Conversation = Doc<"conversations">;

/** Sends go with new numbers behind those that the kept conversation has given, in the order that they had. */
async function moveSends(ctx: MutationCtx, from: Conversation, to: Conversation): Promise<number> {
  const sends = await ctx.db
    .query("outbox")
    .withIndex("by_lane", (q) => q.eq("conversationId", from._id))
    .take(MESSAGES_MAX);
  for (const [index, { _id }] of sends.entries()) {
    await ctx.db.patch(_id, { conversationId: to._id, seq: to.nextSeq + index });
  }
  await ctx.db.patch(to._id, { nextSeq: to.nextSeq + sends.length });
  const requests = await ctx.db
    .query("sendRequests")
    .withIndex("by_principal_content", (q) => q.eq("conversationId", from._id))
    .take(ROWS_MAX);
  for (const { _id } of requests) await ctx.db.patch(_id, { conversationId: to._id });
  return sends.length + requests.length;
}

/** Messages keep their time and get new numbers in their order; what hangs on a wamid stays where it is. */
async function moveMessages(ctx: MutationCtx, from: Conversation, to: Conversation): Promise<number> {
  const messages = await ctx.db
    .query("messages")
    .withIndex("by_conversation_order", (q) => q.eq("conversationId", from._id))
    .take(MESSAGES_MAX);
  for (const [index, { _id }] of messages.entries()) {
    const seq = to.nextSeq + index;
    await ctx.db.patch(_id, { conversationId: to._id, contactId: to.contactId, seq });
  }
  await ctx.db.patch(to._id, { nextSeq: to.nextSeq + messages.length });
  return messages.length;
}

async function moveNotes(ctx: MutationCtx, from: Conversation, to: Conversation): Promise<number> {
  const handoffs = await ctx.db
    .query("handoffs")
    .withIndex("by_conversation", (q) => q.eq("conversationId", from._id))
    .take(ROWS_MAX);
  for (const { _id } of handoffs) await ctx.db.patch(_id, { conversationId: to._id });
  return handoffs.length;
}

async function moveRowsOfContact(
  ctx: MutationCtx,
  kept: Doc<"contacts">,
  merged: Doc<"contacts">,
): Promise<number> {
  const contactId = kept._id;
  const edits = await ctx.db
    .query("messageEdits")
    .withIndex("by_contact", (q) => q.eq("contactId", merged._id))
    .take(MESSAGES_MAX);
  for (const { _id } of edits) await ctx.db.patch(_id, { contactId });
  const items = await ctx.db
    .query("webhookItems")
    .withIndex("by_contact", (q) => q.eq("contactId", merged._id))
    .take(ROWS_MAX);
  for (const { _id } of items) await ctx.db.patch(_id, { contactId });
  const entries = await ctx.db
    .query("consentEntries")
    .withIndex("by_contact_at", (q) => q.eq("contactId", merged._id))
    .take(MESSAGES_MAX);
  for (const { _id, category, state, source, at, by, evidence, note } of entries) {
    await recordConsent(ctx, kept, { category, state, source, at, by, ...defined({ evidence, note }) });
    await ctx.db.delete(_id);
  }
  // The state is the fold of the entries, which have been told again above.
  const state = await ctx.db
    .query("consentStates")
    .withIndex("by_contact", (q) => q.eq("contactId", merged._id))
    .unique();
  if (state !== null && entries.length === 0) await ctx.db.delete(state._id);
  return edits.length + items.length + entries.length;
}

/** Adds what the emptied conversation stood for to the kept one, and removes it. */
async function closeConversation(ctx: MutationCtx, from: Conversation, to: Conversation): Promise<void> {
  await addSeen(ctx, from, to);
  const newest = from.lastMessageAt > to.lastMessageAt ? from : to;
  const { lastMessageAt, preview, previewMessageId, previewStatus } = newest;
  const strict = STRICTNESS[from.mode ?? "agent"] > STRICTNESS[to.mode ?? "agent"] ? from : to;
  const archived = from.archived && to.archived;
  await ctx.db.patch(to._id, {
    ...{ lastMessageAt, preview, previewMessageId, previewStatus, archived },
    inboundCount: to.inboundCount + from.inboundCount,
    ...windowOf(from, to),
    freeEntryExpiresAt: latest(from.freeEntryExpiresAt, to.freeEntryExpiresAt),
    referredAt: latest(from.referredAt, to.referredAt),
    ...(!archived && { archivedAt: undefined }),
    mode: strict.mode,
    handBackAt: strict.handBackAt,
  });
  const marks = await ctx.db
    .query("readMarks")
    .withIndex("by_conversation", (q) => q.eq("conversationId", from._id))
    .unique();
  if (marks !== null) await ctx.db.delete(marks._id);
  const sequence = await ctx.db
    .query("accountSequences")
    .withIndex("by_account_conversation", (q) =>
      q.eq("accountId", from.accountId).eq("conversationId", from._id),
    )
    .unique();
  if (sequence !== null) await ctx.db.delete(sequence._id);
  await ctx.db.delete(from._id);
  await refreshUnanswered(ctx, to._id);
}

/** Where one of the two keeps agents out, the joined conversation does. */
const STRICTNESS = { agent: 0, human: 1, paused: 2 } as const;

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function windowOf(from: Conversation, to: Conversation) {
  if (from.windowExpiresAt === undefined) return {};
  const endOf = ({ windowExpiresAt = 0, windowSource }: Conversation) => ({
    expiresAt: windowExpiresAt,
    ...defined({ source: windowSource }),
  });
  const known = to.windowExpiresAt === undefined ? null : endOf(to);
  const { expiresAt, source } = laterWindow(known, endOf(from));
  return { windowExpiresAt: expiresAt, windowSource: source };
}

/** What a member has seen of either is seen: the counts of the two conversations are added, so these are, too. */
async function addSeen(ctx: MutationCtx, from: Conversation, to: Conversation): Promise<void> {
  const rows = await ctx.db
    .query("conversationSeen")
    .withIndex("by_conversation_user", (q) => q.eq("conversationId", from._id))
    .take(SEEN_MAX);
  for (const row of rows) {
    const known = await ctx.db
      .query("conversationSeen")
      .withIndex("by_conversation_user", (q) => q.eq("conversationId", to._id).eq("userId", row.userId))
      .unique();
    if (known === null) await ctx.db.patch(row._id, { conversationId: to._id });
    else {
      await ctx.db.patch(known._id, {
        inboundCountSeen: known.inboundCountSeen + row.inboundCountSeen,
        seenAt: Math.max(known.seenAt, row.seenAt),
      });
      await ctx.db.delete(row._id);
    }
  }
}
