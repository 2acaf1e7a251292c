import { defineTable } from "convex/server";
import { v } from "convex/values";
import { JOB_STATES } from "#shared/domain/job-state";

export const jobState = v.union(...JOB_STATES.map((state) => v.literal(state)));
export const jobKind = v.union(
  v.literal("erasure"),
  v.literal("export"),
  v.literal("deletion"),
  v.literal("merge"),
);

/** One file of an export. */
export const exportFile = v.object({
  name: v.string(),
  storageId: v.id("_storage"),
  bytes: v.number(),
  rows: v.number(),
});

/**
 * Written by `model/jobs`, read by its runner, its sweeper and the settings page.
 *
 * jobs: work that is too large for one transaction. Each step is one transaction that does a batch and moves `step`
 * and `cursor`, so whatever is lost on the way, the next step begins where the last one ended.
 */
export const jobTables = {
  jobs: defineTable({
    accountId: v.id("accounts"),
    kind: jobKind,
    state: jobState,
    /** Where the work stands; the kind's own module knows the words. */
    step: v.string(),
    cursor: v.optional(v.string()),
    /** Grows with each step; a call that carries an older one is a lost twin and does nothing. */
    ticket: v.number(),
    /** When the sweeper looks whether the runner was lost (ms). */
    dueAt: v.number(),
    /** Restarts by the sweeper since the last step that was done. */
    stalls: v.number(),
    /** Rows dealt with so far. */
    done: v.number(),
    requestedBy: v.string(),
    requestedAt: v.number(),
    finishedAt: v.optional(v.number()),
    /** Why it failed, as a code. */
    failure: v.optional(v.string()),
    /** Of a merge: the contact that is kept. */
    intoId: v.optional(v.id("contacts")),
    /** Of an erasure or a merge: whom it is about. */
    contactId: v.optional(v.id("contacts")),
    conversationId: v.optional(v.id("conversations")),
    /** Of an erasure: what the person is called in raw bodies; gone when it is done or cancelled. */
    identifiers: v.optional(v.array(v.string())),
    /** Of an export: its files, and until when they can be fetched (ms). */
    files: v.optional(v.array(exportFile)),
    expiresAt: v.optional(v.number()),
  })
    .index("by_account_state", ["accountId", "state", "requestedAt"])
    .index("by_state_due", ["state", "dueAt"])
    .index("by_expires_at", ["expiresAt"]),
};
