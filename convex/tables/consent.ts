import { defineTable } from "convex/server";
import { v } from "convex/values";
import { CONSENT_CATEGORIES, CONSENT_SOURCES, CONSENT_WORDS } from "#shared/domain/consent-state";

export const consentCategory = v.union(...CONSENT_CATEGORIES.map((category) => v.literal(category)));
export const consentWord = v.union(...CONSENT_WORDS.map((word) => v.literal(word)));
export const consentSource = v.union(...CONSENT_SOURCES.map((source) => v.literal(source)));

/** The stored form of `ConsentMark` in `shared/domain/consent-state`. */
export const consentMark = v.object({ state: consentWord, source: consentSource, at: v.number() });

/** How far Meta's block list follows ours: `wanted` is what we want there. Safe to tell Meta twice. */
export const remoteBlock = v.object({
  wanted: v.union(v.literal("block"), v.literal("unblock")),
  state: v.union(v.literal("pending"), v.literal("done"), v.literal("failed")),
  attempt: v.number(),
  /** When the next attempt may begin (ms); while one runs, when it is believed lost. */
  dueAt: v.number(),
  /** A worker is telling Meta now: a later change waits for its end, so that Meta hears them in their order. */
  running: v.optional(v.boolean()),
  /** Whom Meta is still to be told of (numbers with the plus sign, else user ids), the next one first. */
  users: v.array(v.string()),
  /** Whom Meta would not change. */
  refused: v.optional(v.array(v.string())),
  /** What Meta answered, as a code. */
  reason: v.optional(v.string()),
});

/**
 * Written by `model/consent` and `model/blocks` (`remoteBlock`), read by the send path, the tools and the contact panel.
 *
 * consentEntries: the ledger, append only: who said what when, and the proof of it.
 */
export const consentTables = {
  consentEntries: defineTable({
    accountId: v.id("accounts"),
    contactId: v.id("contacts"),
    category: consentCategory,
    state: consentWord,
    source: consentSource,
    /** When it was said (ms); Meta's clock where Meta tells it. */
    at: v.number(),
    /** `customer`, `user:<id>`, `key:<id>`, or `whatsapp` for what Meta says. */
    by: v.string(),
    /** Wamid of the message that proves it. */
    evidence: v.optional(v.string()),
    /** Why, in the words of the person who entered it. */
    note: v.optional(v.string()),
  })
    .index("by_contact_at", ["contactId", "at"])
    .index("by_account", ["accountId"]),

  /** The fold of a contact's entries: the newest mark of each category. At most one row per contact. */
  consentStates: defineTable({
    accountId: v.id("accounts"),
    contactId: v.id("contacts"),
    marketing: v.optional(consentMark),
    all: v.optional(consentMark),
    /** Whether Meta's own block list says the same; absent while nobody was ever blocked from here. */
    remoteBlock: v.optional(remoteBlock),
  })
    .index("by_contact", ["contactId"])
    .index("by_remote_block", ["remoteBlock.state", "remoteBlock.dueAt"])
    .index("by_account", ["accountId"]),
};
