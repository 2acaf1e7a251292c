import { TRANSIENT_ERROR } from "../functions/actions/host";
import { errorText, ofEngineError } from "../functions/failure";
import { inComponent } from "../functions/path";
import type { RunResult } from "../functions/run-function";
import { conflictPauseMs, isConflict, pause } from "../functions/transactional-calls";
import type { Transaction } from "../types";
import { DueLoop } from "./due-loop";
import { type Job, type JobState, jobState, listJobs, pruneJobs, settleJob, startJob } from "./jobs";
import {
  beginLook,
  beginWork,
  findSchedulable,
  type SchedulerParts,
  scheduledCall,
  writeUntilDone,
} from "./parts";

/** Scheduled calls that run at once (class S16 of Convex). */
const PARALLEL_JOBS = 8;
/** Pause before a job is tried again after a failure of the engine itself (Convex: 500 ms to two hours). */
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 2 * 3_600_000;
const PRUNE_BATCH = 200;
const RECOVER_BATCH = 500;

/** The loop that runs scheduled calls when they fall due. */
export function createJobLoop(parts: SchedulerParts): DueLoop<Job> {
  const { clock } = parts;
  const pending = (running: ReadonlySet<string>, upToMs: number | null, limit: number): Job[] =>
    listJobs(beginLook(parts), "pending", {
      limit: limit + running.size,
      ...(upToMs !== null && { upToMs }),
    }).filter((job) => !running.has(job.ref.id));
  return new DueLoop<Job>(clock, {
    parallel: PARALLEL_JOBS,
    keyOf: (job) => job.ref.id,
    due: (running, limit) => pending(running, clock.nowMs(), limit).slice(0, limit),
    nextDueMs: (running) => pending(running, null, 1)[0]?.dueMs ?? null,
    run: (job) => runJob(parts, job),
  });
}

/** Runs one scheduled call to its end, whatever that is. Failures of the engine itself are tried again. */
export async function runJob(parts: SchedulerParts, job: Job): Promise<void> {
  for (let failures = 0; ; failures++) {
    try {
      await runByKind(parts, job);
      return;
    } catch (error) {
      if (parts.stopping()) return;
      parts.log(
        `scheduled call ${job.path}${inComponent(job.component)} could not run and will be tried again: ${String(error)}`,
      );
      await pause(Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** failures), parts.clock);
    }
  }
}

async function runByKind(parts: SchedulerParts, job: Job): Promise<void> {
  const found = findSchedulable(parts.current(), job);
  if ("problem" in found) {
    await settle(parts, job, { ok: false, error: { message: found.problem, frames: [] } }, "pending");
  } else if (found.spec.kind === "mutation") {
    await runMutationJob(parts, job);
  } else {
    await runActionJob(parts, job);
  }
}

/**
 * Exactly once: the writes of the function and the state "success" are one transaction, so that a crash leaves both or
 * neither. A function that throws has failed for good; one that loses against another transaction runs again.
 */
async function runMutationJob(parts: SchedulerParts, job: Job): Promise<void> {
  const { clock, transactional, database } = parts;
  const call = scheduledCall(parts, { ...job, job: job.ref, from: "Scheduler" });
  const startMs = clock.nowMs();
  for (let failures = 0; ; failures++) {
    const transaction = database.begin({ kind: "mutation", nowMs: clock.nowMs() });
    if (jobState(transaction, job.ref) !== "pending") return;
    startJob(transaction, job.ref);
    const context = transactional.context(call);
    let result = await transactional.mutationIn(transaction, call, context);
    try {
      if (result.ok) {
        settleJob(transaction, job.ref, { kind: "success" });
        parts.faults?.at("mutation_job_before_commit", null);
        await database.commit(transaction);
        parts.faults?.at("mutation_job_after_commit", null);
      }
    } catch (error) {
      if (isConflict(error)) {
        await pause(conflictPauseMs(failures, clock), clock);
        continue;
      }
      result = { ok: false, error: ofEngineError(error) };
    }
    if (!result.ok) await settle(parts, job, result, "pending");
    transactional.report("Mutation", call, context.logs, result, startMs);
    return;
  }
}

/**
 * At most once: "inProgress" is durable before the first line runs. What is found in that state after a crash has
 * failed, because nobody knows how far it came.
 */
async function runActionJob(parts: SchedulerParts, job: Job): Promise<void> {
  const leave = await parts.actions.takePlace();
  try {
    parts.faults?.at("action_job_before_claim", null);
    if (!(await claim(parts, job))) return;
    parts.faults?.at("action_job_claimed", null);
    const call = scheduledCall(parts, { ...job, job: job.ref, from: "Scheduler" });
    const { result } = await parts.actions.run(call);
    parts.faults?.at("action_job_before_settle", null);
    await settle(parts, job, result, "inProgress");
  } finally {
    leave();
  }
}

async function claim(parts: SchedulerParts, job: Job): Promise<boolean> {
  for (let failures = 0; ; failures++) {
    const transaction = beginWork(parts);
    if (jobState(transaction, job.ref) !== "pending") return false;
    startJob(transaction, job.ref);
    try {
      await parts.database.commit(transaction);
      return true;
    } catch (error) {
      if (!isConflict(error)) throw error;
      await pause(conflictPauseMs(failures, parts.clock), parts.clock);
    }
  }
}

/** Notes the end of a job, unless it is no longer in the state `from`: a canceled one stays canceled. */
function settle(
  parts: SchedulerParts,
  job: Job,
  result: RunResult,
  from: "pending" | "inProgress",
): Promise<void> {
  const end: JobState = result.ok
    ? { kind: "success" }
    : { kind: "failed", error: errorText(result.error).trimEnd() };
  const write = (transaction: Transaction): void => {
    if (jobState(transaction, job.ref) === from) settleJob(transaction, job.ref, end);
  };
  return writeUntilDone(parts, write, "patient");
}

/** At boot: actions that were under way when the process ended. Answers how many there were. */
export async function failInterrupted(parts: SchedulerParts): Promise<number> {
  let found = 0;
  for (;;) {
    let batch = 0;
    await writeUntilDone(parts, (transaction) => {
      const jobs = listJobs(transaction, "running", { limit: RECOVER_BATCH });
      batch = jobs.length;
      for (const job of jobs) settleJob(transaction, job.ref, { kind: "failed", error: TRANSIENT_ERROR });
    });
    found += batch;
    if (batch < RECOVER_BATCH) return found;
  }
}

/** Forgets calls that ended more than a week ago. */
export async function pruneFinished(parts: SchedulerParts): Promise<void> {
  for (;;) {
    let count = 0;
    await writeUntilDone(parts, (transaction) => {
      count = pruneJobs(transaction, PRUNE_BATCH);
    });
    if (count < PRUNE_BATCH) return;
  }
}
