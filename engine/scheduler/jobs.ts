import { developerError } from "../errors";
import { SCHEDULE_DISTANCE_MS_MAX, SCHEDULED_ARGS_BYTES_MAX } from "../functions/limits";
import type { JsonObject, JsonValue, SystemRow, Transaction } from "../types";
import { refuseCommitTs } from "../values/commit-ts";
import { checkValue } from "../values/encoded";
import { formatBytes } from "../values/limits";

/**
 * A scheduled call is two rows. `_scheduled_functions` is what functions may see, in the shape that Convex documents:
 * `{name, args, scheduledTime, completedTime?, state: {kind}}`. `_jobs` is what the scheduler works from: `state`
 * (pending, running, done) and `dueMs`, which for a done job is the time when both rows may go.
 */
const TABLE = "_scheduled_functions";

/** How long a finished call can still be seen (Convex: seven days). */
const KEPT_MS = 7 * 24 * 3_600_000;

export type JobState =
  | { kind: "pending" | "inProgress" | "success" | "canceled" }
  | { kind: "failed"; error: string };

/** A call that is waiting or running, read together from both rows. */
export type Job = { id: string; rowId: string; path: string; args: JsonValue; dueMs: number };

/**
 * Schedules a call as part of `transaction`. Answers its id. Throws "developer" for a time that is years away or
 * arguments that are too large.
 *
 * @param call.dueMs Unix milliseconds, may lie in the past
 * @param call.parentJobId the scheduled call that schedules; when it has been canceled, what it schedules is too
 */
export function scheduleJob(
  transaction: Transaction,
  call: { path: string; args: JsonValue; dueMs: number; parentJobId: string | null },
): string {
  const distanceMs = call.dueMs - transaction.nowMs;
  if (!Number.isFinite(call.dueMs) || Math.abs(distanceMs) > SCHEDULE_DISTANCE_MS_MAX) {
    const where = distanceMs < 0 ? "past" : "future";
    throw developerError(
      "InvalidScheduledFunctionDelay",
      `${call.dueMs / 1000} is more than 5 years in the ${where}`,
    );
  }
  const argsText = JSON.stringify(call.args);
  refuseCommitTs(argsText, "Arguments of a scheduled function");
  const argsBytes = checkValue(call.args).size;
  if (argsBytes > SCHEDULED_ARGS_BYTES_MAX) {
    throw developerError(
      "TooLargeFunctionArguments",
      `Arguments for ${call.path} are too large (actual: ${formatBytes(argsBytes)}, limit: ${formatBytes(SCHEDULED_ARGS_BYTES_MAX)})`,
    );
  }
  transaction.chargeScheduled(argsBytes);
  const canceled =
    call.parentJobId !== null && stateOf(transaction.system.get(call.parentJobId)) === "canceled";
  const id = transaction.system.insert(TABLE, {
    name: call.path,
    args: [call.args],
    scheduledTime: call.dueMs,
    state: { kind: canceled ? "canceled" : "pending" },
    ...(canceled && { completedTime: transaction.nowMs }),
  });
  transaction.system.insert("_jobs", {
    jobId: id,
    state: canceled ? "done" : "pending",
    dueMs: canceled ? transaction.nowMs + KEPT_MS : call.dueMs,
  });
  return id;
}

/**
 * Cancels a call: a pending one never runs, a running action goes on, a finished one stays as it is.
 *
 * @param callerJobId the scheduled call that asks; it cannot cancel itself while it runs as a mutation
 */
export function cancelJob(transaction: Transaction, id: string, callerJobId: string | null): void {
  const row = transaction.system.get(id);
  const state = stateOf(row);
  if (state === null)
    throw developerError("SchedulerIdNotFound", `There is no scheduled function with the id ${id}.`);
  if (id === callerJobId && transaction.kind === "mutation" && state === "inProgress") {
    throw developerError("SelfCancel", "A scheduled mutation cannot cancel itself while it runs.");
  }
  if (state === "pending" || state === "inProgress") settleJob(transaction, id, { kind: "canceled" });
}

const stateOf = (row: SystemRow | null): string | null => {
  const state = row?.["state"];
  return typeof state === "object" &&
    state !== null &&
    !Array.isArray(state) &&
    typeof state["kind"] === "string"
    ? state["kind"]
    : null;
};

/** State of a scheduled call, null where there is none of that id. */
export const jobState = (transaction: Transaction, id: string): string | null =>
  stateOf(transaction.system.get(id));

/** Ends a call in `state` and starts its retention. */
export function settleJob(transaction: Transaction, id: string, state: JobState): void {
  transaction.system.patch(id, { state: { ...state }, completedTime: transaction.nowMs });
  setJobRow(transaction, id, { state: "done", dueMs: transaction.nowMs + KEPT_MS });
}

/** Marks a call as running; visible to others once committed. */
export function startJob(transaction: Transaction, id: string): void {
  transaction.system.patch(id, { state: { kind: "inProgress" } });
  setJobRow(transaction, id, { state: "running" });
}

function setJobRow(transaction: Transaction, id: string, value: JsonObject): void {
  const [row] = transaction.system.list("_jobs", "by_jobId", { equals: [id], limit: 1 });
  if (row !== undefined) transaction.system.patch(row._id, value);
}

/** Calls in `state`, the longest due first. `upToMs` leaves out those that are due later. */
export function listJobs(
  transaction: Transaction,
  state: "pending" | "running",
  options: { upToMs?: number; limit: number },
): Job[] {
  const rows = transaction.system.list("_jobs", "by_state_and_dueMs", {
    equals: [state],
    limit: options.limit,
    ...(options.upToMs !== undefined && { upTo: options.upToMs }),
  });
  return rows.flatMap((row) => readJob(transaction, row) ?? []);
}

function readJob(transaction: Transaction, row: SystemRow): Job | null {
  const { jobId, dueMs } = row;
  if (typeof jobId !== "string" || typeof dueMs !== "number") return null;
  const shown = transaction.system.get(jobId);
  if (shown === null) return null;
  const { name, args } = shown;
  if (typeof name !== "string" || !Array.isArray(args)) return null;
  return { id: jobId, rowId: row._id, path: name, args: args[0] ?? {}, dueMs };
}

/** Removes finished calls whose week is over. Answers how many it took, `limit` at most. */
export function pruneJobs(transaction: Transaction, limit: number): number {
  const rows = transaction.system.list("_jobs", "by_state_and_dueMs", {
    equals: ["done"],
    upTo: transaction.nowMs,
    limit,
  });
  for (const row of rows) {
    const { jobId } = row;
    if (typeof jobId === "string" && transaction.system.get(jobId) !== null) transaction.system.delete(jobId);
    transaction.system.delete(row._id);
  }
  return rows.length;
}
