import { defined } from "#shared/defined";
import {
  CONSENT_CATEGORIES,
  type Consent,
  type ConsentCategory,
  type ConsentMark,
  consentObstacle,
  isCustomersOwn,
  nextConsentState,
  type SendPurpose,
} from "#shared/domain/consent-state";
import { mayBeConsentWord, readConsentWord } from "#shared/domain/consent-words";
import type { RefusalReason } from "#shared/errors";
import type { EventItem } from "#shared/whatsapp/webhook-types";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { readAccountRules } from "./accountRules";
import { ensureContact } from "./contacts";
import { findConversationOf } from "./conversations";
import { appendEvent } from "./events";
import { eventContact } from "./messageEvents";
import { suppressedConsent } from "./suppressions";

/** Entries of one contact with the same time that are compared to find a repetition; Meta repeats one at most a few times. */
const SAME_MOMENT_ENTRIES_MAX = 32;

/** One line of the ledger as its writer gives it. */
export type NewConsentEntry = ConsentMark & {
  category: ConsentCategory;
  /** `customer`, `user:<id>`, `key:<id>` or `whatsapp`. */
  by: string;
  evidence?: string;
  note?: string;
};

type PreferenceEvent = Extract<EventItem["event"], { type: "preference" }>;

/** Why a message of this purpose may not go to the contact (`blocked`, `opted_out`), or null. */
export async function checkConsent(
  ctx: QueryCtx,
  contact: Doc<"contacts">,
  purpose: SendPurpose,
): Promise<Extract<RefusalReason, "blocked" | "opted_out"> | null> {
  return consentObstacle(await consentOf(ctx, contact), purpose);
}

/** What the contact has agreed to; empty when nobody ever said anything. */
export async function consentOf(ctx: QueryCtx, contact: Doc<"contacts">): Promise<Consent> {
  return (await consentStateOf(ctx, contact._id)) ?? (await suppressedConsent(ctx, contact));
}

/**
 * Reads a customer's text for a word that ends or begins consent to marketing. Called for every inbound text once; an
 * ordinary text writes nothing. `at` is Meta's time (ms), `wamid` the proof.
 */
export async function noteInboundText(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
  text: string,
  at: number,
  wamid: string,
): Promise<void> {
  if (!mayBeConsentWord(text)) return;
  const { optOutWords, optInWords } = await readAccountRules(ctx, contact.accountId);
  const state = readConsentWord(text, { optOut: optOutWords, optIn: optInWords });
  if (state === null) return;
  await recordConsent(ctx, contact, {
    category: "marketing",
    state,
    source: "keyword",
    at,
    by: "customer",
    evidence: wamid,
  });
}

/** Meta's words of a preference; `signup` is a subscription through Meta's own form. */
const PREFERENCE_WORDS: ReadonlyMap<string, ConsentMark["state"]> = new Map([
  ["stop", "withdrawn"],
  ["resume", "granted"],
  ["signup", "granted"],
]);

/**
 * Records what the customer switched in WhatsApp (`user_preferences`). Returns what became of it: a value that is not
 * known is kept, a repetition is a duplicate.
 */
export async function applyPreference(
  ctx: MutationCtx,
  account: Doc<"accounts">,
  event: PreferenceEvent,
  now: number,
): Promise<{ state: "processed" | "duplicate" | "kept" | "dead"; reason?: string }> {
  const state = PREFERENCE_WORDS.get(event.value.toLowerCase());
  const marketing = event.category === undefined || event.category === "marketing_messages";
  if (state === undefined || !marketing) return { state: "kept", reason: "unknown_preference" };
  const contact = await ensureContact(ctx, account._id, event.customer);
  if (contact === null) return { state: "dead", reason: "no_sender" };
  const recorded = await recordConsent(ctx, contact, {
    category: "marketing",
    state,
    source: "preference",
    at: event.atMs ?? now,
    by: "customer",
  });
  return { state: recorded ? "processed" : "duplicate" };
}

/** Meta's codes of a send that say something about consent: the customer stopped marketing; we blocked the customer. */
const CONSENT_OF_ERROR: ReadonlyMap<number, Pick<NewConsentEntry, "category" | "source">> = new Map([
  [131050, { category: "marketing", source: "preference" }],
  [130403, { category: "all", source: "block" }],
]);

/**
 * Learns from Meta's refusal of a send, told at once or by a later status: a customer who stopped marketing messages is
 * opted out from now on, and a contact on our block list is blocked. Other codes say nothing about consent.
 */
export async function noteSendError(
  ctx: MutationCtx,
  contactId: Id<"contacts">,
  graphCode: number | undefined,
  at: number,
  wamid?: string,
): Promise<void> {
  const learned = graphCode === undefined ? undefined : CONSENT_OF_ERROR.get(graphCode);
  const contact = learned === undefined ? null : await ctx.db.get(contactId);
  if (learned === undefined || contact === null) return;
  await recordConsent(ctx, contact, {
    ...learned,
    state: "withdrawn",
    at,
    by: "whatsapp",
    ...defined({ evidence: wamid }),
  });
}

/** Appends to the ledger and moves the state. Returns false, and writes nothing, when this very entry is there already. */
export async function recordConsent(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
  entry: NewConsentEntry,
): Promise<boolean> {
  const { accountId, _id: contactId } = contact;
  const { category, state, source, at, by } = entry;
  const sameMoment = await ctx.db
    .query("consentEntries")
    .withIndex("by_contact_at", (q) => q.eq("contactId", contactId).eq("at", at))
    .take(SAME_MOMENT_ENTRIES_MAX);
  const known = sameMoment.some(
    (other) =>
      other.category === category &&
      other.state === state &&
      other.source === source &&
      other.by === by &&
      other.evidence === entry.evidence,
  );
  if (known) return false;
  await ctx.db.insert("consentEntries", { accountId, contactId, ...entry });
  await moveState(ctx, contact, category, { state, source, at });
  return true;
}

/**
 * The moment to give to something that is said here and now: our clock, but after all that is known, so that a click
 * takes effect although a customer's phone or Meta's clock runs ahead of ours.
 */
export async function momentOf(
  ctx: QueryCtx,
  contact: Doc<"contacts">,
  category: ConsentCategory,
  now: number,
): Promise<number> {
  const current = (await consentOf(ctx, contact))[category];
  return current === undefined ? now : Math.max(now, current.at + 1);
}

async function moveState(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
  category: ConsentCategory,
  mark: ConsentMark,
): Promise<void> {
  const { accountId, _id: contactId } = contact;
  const row = await consentStateOf(ctx, contactId);
  // Somebody who was erased and comes back begins with what they had withdrawn.
  const before: Consent = row ?? (await suppressedConsent(ctx, contact));
  const next = nextConsentState(before[category], mark);
  if (next.state !== before[category]?.state) await tellChange(ctx, contact, category, next);
  if (row === null) {
    const { marketing, all } = before;
    await ctx.db.insert("consentStates", {
      accountId,
      contactId,
      ...defined({ marketing, all }),
      [category]: next,
    });
  } else await ctx.db.patch(row._id, { [category]: next });
}

async function tellChange(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
  category: ConsentCategory,
  mark: ConsentMark,
): Promise<void> {
  const conversation = await findConversationOf(ctx, contact);
  await appendEvent(ctx, {
    accountId: contact.accountId,
    type: "consent.changed",
    dedupeKey: `${contact._id}:${category}:${mark.state}:${mark.source}:${mark.at}`,
    occurredAt: mark.at,
    payload: { contact: eventContact(contact), category, state: mark.state, by: mark.source },
    ...(conversation !== null && { conversationId: conversation._id }),
    ...(!isCustomersOwn(mark) && { source: "pons" as const }),
  });
}

/** Adds what one contact has agreed to to another that is the same person. The entries follow. */
export async function joinConsent(
  ctx: MutationCtx,
  kept: Doc<"contacts">,
  merged: Doc<"contacts">,
): Promise<void> {
  const consent = await consentOf(ctx, merged);
  for (const category of CONSENT_CATEGORIES) {
    const mark = consent[category];
    if (mark !== undefined) await moveState(ctx, kept, category, mark);
  }
}

/** The fold of a contact's entries as it is stored, or null. */
export async function consentStateOf(
  ctx: QueryCtx,
  contactId: Id<"contacts">,
): Promise<Doc<"consentStates"> | null> {
  return await ctx.db
    .query("consentStates")
    .withIndex("by_contact", (q) => q.eq("contactId", contactId))
    .unique();
}
