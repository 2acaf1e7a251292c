/** Long work in batches (erasing a contact, writing an export, deleting an account): where one job stands. */
export const JOB_STATES = ["queued", "running", "done", "failed", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];

/**
 * `start`: its turn has come. `fail`: it made no progress in many attempts, or cannot be done. `cancel`, `retry`: a
 * person.
 */
export const JOB_EVENTS = ["start", "finish", "fail", "cancel", "retry"] as const;
export type JobEvent = (typeof JOB_EVENTS)[number];

const TRANSITIONS: Record<JobState, Partial<Record<JobEvent, JobState>>> = {
  queued: { start: "running", fail: "failed", cancel: "cancelled" },
  running: { finish: "done", fail: "failed", cancel: "cancelled" },
  done: {},
  failed: { retry: "queued" },
  cancelled: {},
};

/** The state after an event, or null when the event changes nothing in this state. */
export function nextJobState(state: JobState, event: JobEvent): JobState | null {
  return TRANSITIONS[state][event] ?? null;
}
