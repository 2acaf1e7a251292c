import { describe, expect, test } from "vitest";
import { JOB_EVENTS, JOB_STATES, type JobEvent, type JobState, nextJobState } from "./job-state";

/** Every cell, written out by hand: "-" means that the event changes nothing. */
const TABLE: Record<JobState, Record<JobEvent, JobState | "-">> = {
  queued: { start: "running", finish: "-", fail: "failed", cancel: "cancelled", retry: "-" },
  running: { start: "-", finish: "done", fail: "failed", cancel: "cancelled", retry: "-" },
  done: { start: "-", finish: "-", fail: "-", cancel: "-", retry: "-" },
  failed: { start: "-", finish: "-", fail: "-", cancel: "-", retry: "queued" },
  cancelled: { start: "-", finish: "-", fail: "-", cancel: "-", retry: "-" },
};

describe.each(JOB_STATES)("a job that is %s", (state) => {
  test.each(JOB_EVENTS)("meets %s as the table says", (event) => {
    expect(nextJobState(state, event) ?? "-").toBe(TABLE[state][event]);
  });
});
