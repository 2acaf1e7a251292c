import { defineTable } from "convex/server";
import { v } from "convex/values";

export const identityKind = v.union(
  v.literal("phone"),
  v.literal("wa_id"),
  v.literal("bsuid"),
  v.literal("username"),
);

/**
 * Written by `model/contacts` (called by ingest), read by the conversation list, the tools and the send path.
 *
 * contacts: one person as one account knows them. Every identifier is optional, because Meta leaves out the phone
 * number of people who write under a username.
 */
export const contactTables = {
  contacts: defineTable({
    accountId: v.id("accounts"),
    /** The name that the person gave themselves on WhatsApp. */
    profileName: v.optional(v.string()),
    /** Without the leading "@". Can change at any time: shown, never used to recognise somebody. */
    username: v.optional(v.string()),
    /** E.164 with the plus sign, for display and sending. */
    phone: v.optional(v.string()),
    /** Meta's canonical number, digits only; may differ from `phone` (Brazil, Mexico, Argentina). */
    waId: v.optional(v.string()),
    /** Business-scoped user id, for example `US.1349…`. */
    userId: v.optional(v.string()),
  }).index("by_account", ["accountId"]),

  /** Every way to recognise a contact; (account, kind, value) is unique. */
  contactIdentities: defineTable({
    accountId: v.id("accounts"),
    contactId: v.id("contacts"),
    kind: identityKind,
    value: v.string(),
  })
    .index("by_account_kind_value", ["accountId", "kind", "value"])
    .index("by_contact", ["contactId", "kind"]),
};
