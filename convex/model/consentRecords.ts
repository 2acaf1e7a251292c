import { v } from "convex/values";
import { defined } from "#shared/defined";
import { type ConsentCategory, type ConsentWord, isCustomersOwn } from "#shared/domain/consent-state";
import { type Refusal, refusal } from "#shared/errors";
import type { Doc, Id } from "../_generated/dataModel";
import type { MutationCtx, QueryCtx } from "../_generated/server";
import { consentCategory, consentMark, consentSource, consentWord, remoteBlock } from "../tables/consent";
import { recordAudit } from "./audit";
import { consentOf, consentStateOf, momentOf, recordConsent } from "./consent";
import { findContact, followMerges } from "./contacts";
import { fail } from "./errors";
import { type DoorRefusal, grantNumber } from "./grants";
import type { Caller } from "./identity";
import { findByWamid } from "./messages";

/** Entries that one look at the ledger shows; the newest say all that matters today. */
const ENTRIES_SHOWN_MAX = 50;

/** A note is a sentence that explains, not a document. */
const NOTE_CHARACTERS_MAX = 500;

export const consentView = v.object({
  contactId: v.id("contacts"),
  /** Newest mark of each category; absent when nobody ever said anything. */
  marketing: v.optional(consentMark),
  all: v.optional(consentMark),
  /** How far WhatsApp's own block list follows; absent while nobody was ever blocked from here. */
  whatsapp: v.optional(
    v.object({
      wanted: remoteBlock.fields.wanted,
      state: remoteBlock.fields.state,
      /** What stands in the way, as a code. */
      reason: v.optional(v.string()),
      /** The numbers and ids that WhatsApp would not change. */
      refused: v.optional(v.array(v.string())),
    }),
  ),
  /** The ledger, newest first. */
  entries: v.array(
    v.object({
      category: consentCategory,
      state: consentWord,
      source: consentSource,
      at: v.number(),
      by: v.string(),
      evidence: v.optional(v.string()),
      note: v.optional(v.string()),
    }),
  ),
});

/** What a contact has agreed to, with the newest part of the ledger. */
export async function viewConsent(ctx: QueryCtx, contact: Doc<"contacts">): Promise<typeof consentView.type> {
  const rows = await ctx.db
    .query("consentEntries")
    .withIndex("by_contact_at", (q) => q.eq("contactId", contact._id))
    .order("desc")
    .take(ENTRIES_SHOWN_MAX);
  const { marketing, all } = await consentOf(ctx, contact);
  return {
    contactId: contact._id,
    ...defined({ marketing, all, whatsapp: await viewRemoteBlock(ctx, contact) }),
    entries: rows.map(({ category, state, source, at, by, evidence, note }) => ({
      category,
      state,
      source,
      at,
      by,
      ...defined({ evidence, note }),
    })),
  };
}

async function viewRemoteBlock(ctx: QueryCtx, contact: Doc<"contacts">) {
  const remote = (await consentStateOf(ctx, contact._id))?.remoteBlock;
  if (remote === undefined) return undefined;
  const { wanted, state, reason, refused } = remote;
  return { wanted, state, ...defined({ reason, refused }) };
}

/**
 * The contact, if it belongs to the account, or the one that it was joined to. Throws `not_found`, the same for missing
 * and foreign.
 */
export async function requireContact(
  ctx: QueryCtx,
  accountId: Id<"accounts">,
  contactId: Id<"contacts">,
): Promise<Doc<"contacts">> {
  const contact = await followMerges(ctx, await ctx.db.get(contactId));
  return contact?.accountId === accountId ? contact : fail("not_found");
}

/** A member enters what the customer said elsewhere, and answers for it by name. */
export async function setConsentAsMember(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
  entry: { category: ConsentCategory; state: ConsentWord; note?: string; userId: string },
  now: number,
): Promise<void> {
  const { category, state, note, userId } = entry;
  checkNote(note);
  await recordConsent(ctx, contact, {
    category,
    state,
    source: "member",
    at: await momentOf(ctx, contact, category, now),
    by: `user:${userId}`,
    ...defined({ note }),
  });
  await auditConsent(ctx, contact, `user:${userId}`, `${category}:${state}`, now);
}

export interface CallerConsent {
  from?: string;
  contact: string;
  category: ConsentCategory;
  state: ConsentWord;
  /** Id (ours or Meta's) of the customer's message that says so. */
  evidence?: string;
  note?: string;
}

/** What a key may see of a contact's consent, or a refusal. */
export async function readConsentForCaller(
  ctx: QueryCtx,
  caller: Caller,
  args: Pick<CallerConsent, "from" | "contact">,
): Promise<typeof consentView.type | DoorRefusal> {
  const granted = await grantNumber(ctx, caller, "conversations:read", args.from);
  if (granted.refused) return granted;
  const contact = await findContact(ctx, granted.account._id, args.contact);
  return contact === null ? refusal("not_found") : await viewConsent(ctx, contact);
}

/**
 * A key enters what the customer said. It may always end consent. To begin it again after it was ended it must show a
 * message of the customer's that is newer than the end; a block by the business is not a key's to lift.
 */
export async function setConsentForCaller(
  ctx: MutationCtx,
  caller: Caller,
  args: CallerConsent,
  now: number,
): Promise<typeof consentView.type | DoorRefusal> {
  const granted = await grantNumber(ctx, caller, "write", args.from);
  if (granted.refused) return granted;
  checkNote(args.note);
  const contact = await findContact(ctx, granted.account._id, args.contact);
  if (contact === null) return refusal("not_found");
  const evidence = args.evidence === undefined ? null : await evidenceOf(ctx, contact, args.evidence);
  if (args.evidence !== undefined && evidence === null) {
    return refusal("not_found", { say: "The evidence is no message that this customer wrote." });
  }
  const principal = `key:${caller.apiKeyId}`;
  const obstacle = await grantObstacle(ctx, contact, args, evidence);
  if (obstacle !== null) {
    await auditConsent(ctx, contact, principal, obstacle.reason, now);
    return obstacle;
  }
  await recordConsent(ctx, contact, {
    category: args.category,
    state: args.state,
    source: "key",
    at: evidence?.timestamp ?? (await momentOf(ctx, contact, args.category, now)),
    by: principal,
    ...defined({ evidence: evidence?.wamid, note: args.note }),
  });
  await auditConsent(ctx, contact, principal, `${args.category}:${args.state}`, now);
  return await viewConsent(ctx, contact);
}

async function grantObstacle(
  ctx: QueryCtx,
  contact: Doc<"contacts">,
  { category, state }: Pick<CallerConsent, "category" | "state">,
  evidence: Doc<"messages"> | null,
): Promise<Refusal | null> {
  const current = (await consentOf(ctx, contact))[category];
  if (state !== "granted" || current?.state !== "withdrawn") return null;
  if (current.source === "block") return refusal("blocked");
  if (evidence !== null && evidence.timestamp > current.at) return null;
  return refusal("opted_out", {
    say: isCustomersOwn(current)
      ? "The customer opted out, and nothing newer from the customer says otherwise."
      : "The opt-out was entered for the customer, and nothing newer from the customer says otherwise.",
    nextStep: "Repeat the call with `evidence` set to a later message in which the customer opts in.",
  });
}

/** The message of this very customer that an id of ours or of Meta's names. */
async function evidenceOf(
  ctx: QueryCtx,
  contact: Doc<"contacts">,
  text: string,
): Promise<Doc<"messages"> | null> {
  const messageId = ctx.db.normalizeId("messages", text);
  const message =
    messageId === null ? await findByWamid(ctx, contact.accountId, text) : await ctx.db.get(messageId);
  const own = message?.contactId === contact._id && message.direction === "inbound";
  return own ? message : null;
}

function checkNote(note: string | undefined): void {
  if (note !== undefined && note.length > NOTE_CHARACTERS_MAX) fail("invalid_request", { field: "note" });
}

async function auditConsent(
  ctx: MutationCtx,
  contact: Doc<"contacts">,
  principal: string,
  outcome: string,
  now: number,
): Promise<void> {
  await recordAudit(ctx, {
    accountId: contact.accountId,
    principal,
    action: "consent.set",
    outcome,
    subject: contact._id,
    at: now,
  });
}
