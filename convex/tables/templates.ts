import { defineTable } from "convex/server";
import { v } from "convex/values";
import { TEMPLATE_STATES } from "#shared/domain/template-state";

export const templateState = v.union(...TEMPLATE_STATES.map((state) => v.literal(state)));

/**
 * Written by `model/templates` (template events of webhooks) and `model/templateSync` (the list of the Graph), read by
 * the composer, the tools and the rules of sending.
 *
 * templates: a copy of Meta's list for one account; (account, name, language) is unique. Meta's words (`status`,
 * `category`, `quality`) are kept as they came, `state` is what this version makes of them.
 */
export const templateTables = {
  templates: defineTable({
    accountId: v.id("accounts"),
    metaTemplateId: v.optional(v.string()),
    name: v.string(),
    /** With an underscore, as the list writes it (`en_US`), whatever the webhook wrote. */
    language: v.string(),
    category: v.string(),
    /** The category that Meta finds right, where it has announced a change. */
    correctCategory: v.optional(v.string()),
    status: v.string(),
    state: templateState,
    quality: v.optional(v.string()),
    parameterFormat: v.union(v.literal("named"), v.literal("positional")),
    /** JSON text of Meta's `components`. */
    components: v.string(),
    /** JSON Schema (as text) of the values that fill the template. */
    paramsSchema: v.string(),
    /** Places that somebody has to fill; between alike templates the one with fewer is the easier choice. */
    paramCount: v.number(),
    /** The text as the customer would read it, with the places as Meta's examples fill them. */
    preview: v.string(),
    /** Approved, and built of parts that can be sent from here. */
    usable: v.boolean(),
    searchText: v.string(),
    rejectedReason: v.optional(v.string()),
    /** What Meta said about a rejection, a pause or a warning, for people. */
    detail: v.optional(v.string()),
    pausedUntil: v.optional(v.number()),
    /** Meta's time of the latest event of each kind that was applied (ms); an older one changes nothing. */
    toldAt: v.optional(
      v.object({
        templateStatus: v.optional(v.number()),
        templateQuality: v.optional(v.number()),
        templateCategory: v.optional(v.number()),
        templateText: v.optional(v.number()),
      }),
    ),
    /** Our time of it (ms); a page of the list that was asked for before it does not undo it. */
    changedAt: v.optional(v.number()),
    /** When the run began that last saw it in the list (ms); what a whole run did not see is removed. */
    syncedAt: v.number(),
  })
    .index("by_account_name_language", ["accountId", "name", "language"])
    .index("by_account_usable_name", ["accountId", "usable", "name", "language"])
    .index("by_account_meta_id", ["accountId", "metaTemplateId"])
    .index("by_account_synced", ["accountId", "syncedAt"])
    .searchIndex("by_text", { searchField: "searchText", filterFields: ["accountId", "usable"] }),

  /**
   * One row per account: when its list was read and is read again. A run holds the row by `token` until `leaseUntil`,
   * so that two of them never work on one account.
   */
  templateSyncs: defineTable({
    accountId: v.id("accounts"),
    token: v.optional(v.string()),
    startedAt: v.optional(v.number()),
    leaseUntil: v.optional(v.number()),
    /** Asked for again while a run was under way. */
    again: v.boolean(),
    /** When the next run starts (ms). */
    dueAt: v.number(),
    /** When a person last asked for a run (ms). */
    askedAt: v.optional(v.number()),
    syncedAt: v.optional(v.number()),
    /** Why the last run failed, as a code; absent after a good one. */
    reason: v.optional(v.string()),
    failures: v.number(),
  })
    .index("by_account", ["accountId"])
    .index("by_due_at", ["dueAt"]),
};
