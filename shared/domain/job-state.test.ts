import { describe, expect, test } from "vitest";
import { isJobOver, JOB_EVENTS, JOB_STATES, type JobEvent, type JobState, nextJobState } from "./job-state";

/** Every cell, written out by hand: "-" means that the event changes nothing. */
const TABLE: Record<JobState, Record<JobEvent, JobState | "-">> = {
  queued: { start: "running", finish: "-", fail: "failed", cancel: "cancelled" },
  running: { start: "-", finish: "done", fail: "failed", cancel: "cancelled" },
  done: { start: "-", finish: "-", fail: "-", cancel: "-" },
  failed: { start: "-", finish: "-", fail: "-", cancel: "-" },
  cancelled: { start: "-", finish: "-", fail: "-", cancel: "-" },
};

describe.each(JOB_STATES)("a job that is %s", (state) => {
  test.each(JOB_EVENTS)("meets %s as the table says", (event) => {
    expect(nextJobState(state, event) ?? "-").toBe(TABLE[state][event]);
  });

  test("is over exactly when nothing can happen to it any more", () => {
    expect(isJobOver(state)).toBe(JOB_EVENTS.every((event) => nextJobState(state, event) === null));
  });
});
