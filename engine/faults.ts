import type { Timestamp } from "./types";

/**
 * The steps between which a process can end and leave something half done. Each is a call on `Faults`, so that a test
 * can look there, or kill the process there. The list is read by the crash tests, which demand a case for every one.
 */
export const FAULT_POINTS = [
  // A commit: nothing written; rows written, SQLite's COMMIT not begun; fsynced, nobody knows; published, not answered.
  "before_flush",
  "mid_flush",
  "after_commit_before_publish",
  "after_publish",
  // A scheduled mutation: has run, nothing committed; committed.
  "mutation_job_before_commit",
  "mutation_job_after_commit",
  // A scheduled action: found due; marked as running; after a mutation of its own; ended, not yet settled.
  "action_job_before_claim",
  "action_job_claimed",
  "action_between_calls",
  "action_job_before_settle",
  // A cron that is an action: its next time is durable, it has not started.
  "cron_claimed",
  // A file: part of it received; all synced under its temporary name; renamed, without a row; row committed, not
  // answered; row deleted, bytes still there.
  "upload_half_received",
  "blob_before_rename",
  "blob_before_row",
  "file_before_answer",
  "blob_before_removal",
  // A push: some rows have entries in a new index; schemas and code are ready, and nothing of them is in force.
  "backfill_half_done",
  "schema_before_release",
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

export type Faults = {
  /**
   * Says that the process has come to `point`; must not throw.
   * @param ts of the commit, at the points of a commit
   */
  at(point: FaultPoint, ts: Timestamp | null): void;
};
