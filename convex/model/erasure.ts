import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx } from "../_generated/server";
import { redactAudit } from "./audit";
import { eraseBodies } from "./bodyErasure";
import { consentOf } from "./consent";
import { duplicatesOf } from "./contactDuplicates";
import { findContact } from "./contacts";
import { findConversationOf } from "./conversations";
import { fail } from "./errors";
import { redactEvent } from "./events";
import { requestJob, type StepResult } from "./jobs";
import { eraseMessage, eraseSend } from "./messageErasure";
import { suppress } from "./suppressions";

/**
 * Forgets one person in one account. Raw bodies go first, because what they bring may still become messages; the contact
 * goes last, because it is how the rest is found. Each step takes the next rows that are there, so a step that is done
 * again does no harm.
 */

/** A message takes about 20 reads and writes of the 4,096 that a transaction may do. */
const MESSAGES_MAX = 40;
/** Small rows that one step removes. */
const ROWS_MAX = 200;
/** Envelopes have up to 256 KiB each, of the 16 MiB that a transaction may read. */
const EVENTS_MAX = 40;
/** Identities of one person: numbers and ids change a few times in a life. */
const IDENTITIES_MAX = 100;

/** Contacts that were joined to one person; each took a decision of a member. */
const MERGED_MAX = 20;

/** Asks for the erasure of a contact; while one is under way, the same job is answered. */
export async function requestErasure(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
  requestedBy: string,
  now: number,
): Promise<Id<"jobs">> {
  const { accountId, _id: contactId, mergedConversationId } = contact;
  await requestErasureOfMerged(ctx, contactId, requestedBy, now);
  const identities = await identitiesOf(ctx, contactId);
  const names = identities.filter(({ kind }) => kind !== "username").map(({ value }) => value);
  const conversationId = (await findConversationOf(ctx, contact))?._id ?? mergedConversationId;
  return await requestJob(
    ctx,
    {
      accountId,
      kind: "erasure",
      requestedBy,
      contactId,
      identifiers: [...new Set(names)],
      ...(conversationId !== undefined && { conversationId }),
    },
    now,
  );
}

/** Whoever was joined to the person still has the events of their own conversation. */
async function requestErasureOfMerged(
  ctx: MutationCtx,
  contactId: Id<"contacts">,
  requestedBy: string,
  now: number,
): Promise<void> {
  const merged = await ctx.db
    .query("contacts")
    .withIndex("by_merged_into", (q) => q.eq("mergedInto", contactId))
    .take(MERGED_MAX);
  for (const contact of merged) await requestErasure(ctx, contact, requestedBy, now);
}

/** As `requestErasure`, for the contact that the administrator names. Throws `not_found`. */
export async function requestErasureByName(
  ctx: MutationCtx,
  args: { accountId: Id<"accounts">; contact: string },
  now: number,
): Promise<Id<"jobs">> {
  const contact = await findContact(ctx, args.accountId, args.contact);
  return contact === null ? fail("not_found") : await requestErasure(ctx, contact, "admin", now);
}

/** Does the next part of an erasure. */
export async function erasureStep(ctx: MutationCtx, job: Doc<"jobs">): Promise<StepResult> {
  switch (job.step) {
    case "begin":
      return { state: "more", step: "bodies", rows: 0 };
    case "bodies":
      return await eraseBodies(ctx, job, job.accountId, job.identifiers ?? [], "messages");
    case "messages":
      return await eraseMessages(ctx, job);
    case "sends":
      return await eraseSends(ctx, job);
    case "events":
      return await eraseEvents(ctx, job, job.conversationId, "account_events");
    case "account_events":
      return await eraseEvents(ctx, job, undefined, "rest");
    case "rest":
      return await eraseRest(ctx, job);
    default:
      throw new Error(`An erasure has no step "${job.step}".`);
  }
}

async function eraseMessages(ctx: MutationCtx, job: Doc<"jobs">): Promise<StepResult> {
  const { conversationId } = job;
  if (conversationId === undefined) return { state: "more", step: "account_events", rows: 0 };
  const messages = await ctx.db
    .query("messages")
    .withIndex("by_conversation_order", (q) => q.eq("conversationId", conversationId))
    .take(MESSAGES_MAX);
  for (const message of messages) await eraseMessage(ctx, message);
  const step = messages.length === MESSAGES_MAX ? "messages" : "sends";
  return { state: "more", step, rows: messages.length };
}

/** Sends that made no message, such as reactions. */
async function eraseSends(ctx: MutationCtx, job: Doc<"jobs">): Promise<StepResult> {
  const { conversationId } = job;
  if (conversationId === undefined) return { state: "more", step: "account_events", rows: 0 };
  const sends = await ctx.db
    .query("outbox")
    .withIndex("by_lane", (q) => q.eq("conversationId", conversationId))
    .take(MESSAGES_MAX);
  for (const send of sends) await eraseSend(ctx, send);
  return { state: "more", step: sends.length === MESSAGES_MAX ? "sends" : "events", rows: sends.length };
}

/**
 * Empties the envelopes of the conversation, or those of no conversation that name the person. Their place in the
 * sequence stays, so that no reader misses a number.
 */
async function eraseEvents(
  ctx: MutationCtx,
  job: Doc<"jobs">,
  conversationId: Id<"conversations"> | undefined,
  next: string,
): Promise<StepResult> {
  const after = job.cursor === undefined ? 0 : Number(job.cursor);
  const events = await ctx.db
    .query("webhookEvents")
    .withIndex("by_account_conversation_seq", (q) =>
      q.eq("accountId", job.accountId).eq("conversationId", conversationId).gt("seq", after),
    )
    .take(EVENTS_MAX);
  const needles = [...(job.identifiers ?? []), ...(job.contactId === undefined ? [] : [job.contactId])];
  const named = events.filter(
    ({ body }) => conversationId !== undefined || needles.some((needle) => body.includes(needle)),
  );
  for (const event of named) await redactEvent(ctx, event);
  const last = events.at(-1);
  if (last === undefined || events.length < EVENTS_MAX)
    return { state: "more", step: next, rows: named.length };
  return { state: "more", step: job.step, cursor: String(last.seq), rows: named.length };
}

async function eraseRest(ctx: MutationCtx, job: Doc<"jobs">): Promise<StepResult> {
  const { contactId, conversationId } = job;
  if (contactId === undefined) return { state: "over", rows: 0 };
  const contact = await ctx.db.get(contactId);
  if (contact !== null) {
    const consent = await consentOf(ctx, contact);
    await suppress(ctx, job.accountId, job.identifiers ?? [], consent);
  }
  const rows = [
    ...(await rowsOfContact(ctx, contactId)),
    ...(await duplicatesOf(ctx, job.accountId, contactId)),
    ...(conversationId === undefined ? [] : await rowsOfConversation(ctx, conversationId)),
  ];
  for (const row of rows) await ctx.db.delete(row._id);
  const items = await ctx.db
    .query("webhookItems")
    .withIndex("by_contact", (q) => q.eq("contactId", contactId))
    .take(ROWS_MAX);
  for (const { _id } of items) await ctx.db.patch(_id, { contactId: undefined });
  if (rows.length >= ROWS_MAX || items.length === ROWS_MAX)
    return { state: "more", step: job.step, rows: rows.length };
  await redactAudit(ctx, job.accountId, contactId);
  if (conversationId !== undefined) {
    await redactAudit(ctx, job.accountId, conversationId);
    await deleteIfThere(ctx, conversationId);
  }
  await deleteIfThere(ctx, contactId);
  return { state: "over", rows: rows.length };
}

async function rowsOfContact(ctx: MutationCtx, contactId: Id<"contacts">) {
  const entries = await ctx.db
    .query("consentEntries")
    .withIndex("by_contact_at", (q) => q.eq("contactId", contactId))
    .take(ROWS_MAX);
  if (entries.length === ROWS_MAX) return entries;
  const states = await ctx.db
    .query("consentStates")
    .withIndex("by_contact", (q) => q.eq("contactId", contactId))
    .take(ROWS_MAX);
  const edits = await ctx.db
    .query("messageEdits")
    .withIndex("by_contact", (q) => q.eq("contactId", contactId))
    .take(ROWS_MAX);
  const flagged = await ctx.db
    .query("flaggedReads")
    .withIndex("by_contact", (q) => q.eq("contactId", contactId))
    .take(ROWS_MAX);
  const confirmations = await ctx.db
    .query("sendConfirmations")
    .withIndex("by_recipient", (q) => q.eq("recipient", contactId))
    .take(ROWS_MAX);
  return [
    ...entries,
    ...states,
    ...edits,
    ...flagged,
    ...confirmations,
    ...(await identitiesOf(ctx, contactId)),
  ];
}

/** Rows that hang on a conversation and on nothing else. */
export async function rowsOfConversation(ctx: MutationCtx, conversationId: Id<"conversations">) {
  const conversation = await ctx.db.get(conversationId);
  const handoffs = await ctx.db
    .query("handoffs")
    .withIndex("by_conversation", (q) => q.eq("conversationId", conversationId))
    .take(ROWS_MAX);
  const seen = await ctx.db
    .query("conversationSeen")
    .withIndex("by_conversation_user", (q) => q.eq("conversationId", conversationId))
    .take(ROWS_MAX);
  const readMarks = await ctx.db
    .query("readMarks")
    .withIndex("by_conversation", (q) => q.eq("conversationId", conversationId))
    .take(1);
  const sequences =
    conversation === null
      ? []
      : await ctx.db
          .query("accountSequences")
          .withIndex("by_account_conversation", (q) =>
            q.eq("accountId", conversation.accountId).eq("conversationId", conversationId),
          )
          .take(1);
  return [...handoffs, ...seen, ...readMarks, ...sequences];
}

async function identitiesOf(ctx: MutationCtx, contactId: Id<"contacts">) {
  return await ctx.db
    .query("contactIdentities")
    .withIndex("by_contact", (q) => q.eq("contactId", contactId))
    .take(IDENTITIES_MAX);
}

async function deleteIfThere(ctx: MutationCtx, id: Id<"contacts"> | Id<"conversations">): Promise<void> {
  if ((await ctx.db.get(id)) !== null) await ctx.db.delete(id);
}
