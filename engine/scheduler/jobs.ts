import { developerError } from "../errors";
import { SCHEDULE_DISTANCE_MS_MAX, SCHEDULED_ARGS_BYTES_MAX } from "../functions/limits";
import type { ComponentPath, JsonObject, JsonValue, SystemRow, Transaction } from "../types";
import { refuseCommitTs } from "../values/commit-ts";
import { checkValue } from "../values/encoded";
import { formatBytes } from "../values/limits";

/**
 * A scheduled call is two rows. `_scheduled_functions` is what functions may see, in the shape that Convex documents:
 * `{name, args, scheduledTime, completedTime?, state: {kind}}`; it belongs to the component that scheduled the call.
 * `_jobs`, for all components in one, is what the scheduler works from: `state` (pending, running, done), `dueMs`,
 * which for a done job is the time when both rows may go, `owner`, the component of the first row, and `component`,
 * that of the function. The last two are missing where they are the app.
 */
const TABLE = "_scheduled_functions";

/** How long a finished call can still be seen (Convex: seven days). */
const KEPT_MS = 7 * 24 * 3_600_000;

export type JobState =
  | { kind: "pending" | "inProgress" | "success" | "canceled" }
  | { kind: "failed"; error: string };

/** A scheduled call: its id, and the component that scheduled it. */
export type JobRef = { id: string; component: ComponentPath };

/** A call that is waiting or running, read together from both rows. */
export type Job = {
  ref: JobRef;
  rowId: string;
  /** The function: its component and canonical path. */
  component: ComponentPath;
  path: string;
  args: JsonValue;
  dueMs: number;
};

/**
 * Schedules a call as part of `transaction`. Answers its id. Throws "developer" for a time that is years away or
 * arguments that are too large.
 *
 * @param call.owner the component that schedules
 * @param call.component the one that the function at `path` belongs to
 * @param call.dueMs Unix milliseconds, may lie in the past
 * @param call.parent the scheduled call that schedules; when it has been canceled, what it schedules is too
 */
export function scheduleJob(
  transaction: Transaction,
  call: {
    owner: ComponentPath;
    component: ComponentPath;
    path: string;
    args: JsonValue;
    dueMs: number;
    parent: JobRef | null;
  },
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
  const canceled = call.parent !== null && jobState(transaction, call.parent) === "canceled";
  const shown: JsonObject = {
    name: call.path,
    args: [call.args],
    scheduledTime: call.dueMs,
    state: { kind: canceled ? "canceled" : "pending" },
    ...(canceled && { completedTime: transaction.nowMs }),
  };
  const id = transaction.system.insert(TABLE, shown, call.owner);
  transaction.system.insert("_jobs", {
    jobId: id,
    state: canceled ? "done" : "pending",
    dueMs: canceled ? transaction.nowMs + KEPT_MS : call.dueMs,
    ...(call.owner !== "" && { owner: call.owner }),
    ...(call.component !== "" && { component: call.component }),
  });
  return id;
}

/**
 * Cancels a call: a pending one never runs, a running action goes on, a finished one stays as it is.
 *
 * @param caller the scheduled call that asks; it cannot cancel itself while it runs as a mutation
 */
export function cancelJob(transaction: Transaction, job: JobRef, caller: JobRef | null): void {
  const state = jobState(transaction, job);
  if (state === null)
    throw developerError("SchedulerIdNotFound", `There is no scheduled function with the id ${job.id}.`);
  if (job.id === caller?.id && transaction.kind === "mutation" && state === "inProgress") {
    throw developerError("SelfCancel", "A scheduled mutation cannot cancel itself while it runs.");
  }
  if (state === "pending" || state === "inProgress") settleJob(transaction, job, { kind: "canceled" });
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
export const jobState = (transaction: Transaction, { id, component }: JobRef): string | null =>
  stateOf(transaction.system.get(id, component));

/** Ends a call in `state` and starts its retention. */
export function settleJob(transaction: Transaction, job: JobRef, state: JobState): void {
  const end = { state: { ...state }, completedTime: transaction.nowMs };
  transaction.system.patch(job.id, end, job.component);
  setJobRow(transaction, job.id, { state: "done", dueMs: transaction.nowMs + KEPT_MS });
}

/** Marks a call as running; visible to others once committed. */
export function startJob(transaction: Transaction, job: JobRef): void {
  transaction.system.patch(job.id, { state: { kind: "inProgress" } }, job.component);
  setJobRow(transaction, job.id, { state: "running" });
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
  const { dueMs, component } = row;
  const ref = refOf(row);
  const shown = ref === null ? null : transaction.system.get(ref.id, ref.component);
  if (ref === null || shown === null || typeof dueMs !== "number") return null;
  const { name, args } = shown;
  if (typeof name !== "string" || !Array.isArray(args)) return null;
  return {
    ref,
    rowId: row._id,
    component: typeof component === "string" ? component : "",
    path: name,
    args: args[0] ?? {},
    dueMs,
  };
}

function refOf({ jobId, owner }: SystemRow): JobRef | null {
  return typeof jobId === "string" ? { id: jobId, component: typeof owner === "string" ? owner : "" } : null;
}

/** Removes finished calls whose week is over. Answers how many it took, `limit` at most. */
export function pruneJobs(transaction: Transaction, limit: number): number {
  const rows = transaction.system.list("_jobs", "by_state_and_dueMs", {
    equals: ["done"],
    upTo: transaction.nowMs,
    limit,
  });
  for (const row of rows) {
    const ref = refOf(row);
    if (ref !== null && transaction.system.get(ref.id, ref.component) !== null) {
      transaction.system.delete(ref.id, ref.component);
    }
    transaction.system.delete(row._id);
  }
  return rows.length;
}
