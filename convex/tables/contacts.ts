import { defineTable } from "convex/server";
import { v } from "convex/values";

export const identityKind = v.union(
  v.literal("phone"),
  v.literal("wa_id"),
  v.literal("bsuid"),
  v.literal("parent_bsuid"),
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
    /** The same across the portfolios of one enterprise, for example `US.ENT.118…`. */
    parentUserId: v.optional(v.string()),
    /** When (ms, Meta's clock) each of these was said, so that an older webhook that comes late does not win. */
    nameAt: v.optional(v.number()),
    usernameAt: v.optional(v.number()),
    userIdAt: v.optional(v.number()),
    /** A person has said that it is this other one: all that it had is moved there, and it only points at it. */
    mergedInto: v.optional(v.id("contacts")),
    /** What Meta calls the contacts that were joined to this one: numbers with the plus sign, else user ids. */
    otherAddresses: v.optional(v.array(v.string())),
    /** The conversation that it had, whose events keep its id. */
    mergedConversationId: v.optional(v.id("conversations")),
  })
    .index("by_account", ["accountId"])
    .index("by_merged_into", ["mergedInto"])
    .searchIndex("search_name", { searchField: "profileName", filterFields: ["accountId"] }),

  /**
   * Every way to recognise a contact. (account, kind, value) is unique among the rows without `endedAt`. A number or id
   * that the person gave up keeps its row with the time, because their late messages still come under it, and who
   * gets the number next is somebody else.
   */
  contactIdentities: defineTable({
    accountId: v.id("accounts"),
    contactId: v.id("contacts"),
    kind: identityKind,
    value: v.string(),
    /** Until when (ms, Meta's clock) it was this contact's. */
    endedAt: v.optional(v.number()),
  })
    .index("by_account_kind_value", ["accountId", "kind", "value"])
    .index("by_contact", ["contactId", "kind"]),

  /**
   * Written by `model/contactDuplicates`, read by members. Two contacts that claim one identity: nothing is merged
   * until a person says that they are one. One row per pair, `firstId` being the smaller id.
   */
  contactDuplicates: defineTable({
    accountId: v.id("accounts"),
    firstId: v.id("contacts"),
    secondId: v.id("contacts"),
    reason: v.union(v.literal("same_sender"), v.literal("number_changed"), v.literal("id_changed")),
    /** The message that named both. */
    wamid: v.optional(v.string()),
    state: v.union(v.literal("open"), v.literal("merging"), v.literal("merged"), v.literal("dismissed")),
    suggestedAt: v.number(),
    decidedAt: v.optional(v.number()),
    /** Id of the member who decided. */
    decidedBy: v.optional(v.string()),
    /** Rows moved so far by an accepted merge. */
    moved: v.optional(v.number()),
    keptId: v.optional(v.id("contacts")),
  })
    .index("by_pair", ["accountId", "firstId", "secondId"])
    .index("by_second", ["secondId"])
    .index("by_account_state", ["accountId", "state", "suggestedAt"]),
};
