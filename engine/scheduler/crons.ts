import { errorText, ofEngineError } from "../functions/failure";
import { inComponent } from "../functions/path";
import type { CronSpec } from "../functions/release";
import { conflictPauseMs, isConflict, pause } from "../functions/transactional-calls";
import type { ComponentPath, JsonObject, JsonValue, SystemRow, Transaction } from "../types";
import { nextTime, parseSchedule } from "./cron-schedule";
import { DueLoop } from "./due-loop";
import {
  beginLook,
  beginWork,
  findSchedulable,
  type SchedulerParts,
  scheduledCall,
  writeUntilDone,
} from "./parts";

/**
 * One row per cron: `{name, component?, spec, nextMs, runningSinceMs?}`. `component` is missing for those of the app.
 * Names are unique within a component. `spec` is the JSON text of what the push said; as long as
 * it stays the same, a push leaves the cron's times alone.
 */
const TABLE = "_crons";
/** More than any app has; Convex names no limit. */
const CRONS_MAX = 1_000;
const PARALLEL_CRONS = 8;

type Cron = {
  rowId: string;
  component: ComponentPath;
  spec: CronSpec;
  nextMs: number;
  runningSinceMs: number | null;
};

const componentOf = ({ component }: SystemRow): ComponentPath =>
  typeof component === "string" ? component : "";

/** How the log names a cron. */
const titleOf = ({ spec, component }: Cron): string => `${spec.name}${inComponent(component)}`;

/** A time that never comes, for a schedule without one: the end of what a date can say. */
const NEVER_MS = 8.64e15;

function readCron(row: SystemRow): Cron | null {
  const { spec, nextMs, runningSinceMs } = row;
  if (typeof spec !== "string" || typeof nextMs !== "number") return null;
  return {
    rowId: row._id,
    component: componentOf(row),
    spec: JSON.parse(spec),
    nextMs,
    runningSinceMs: typeof runningSinceMs === "number" ? runningSinceMs : null,
  };
}

const listCrons = (transaction: Transaction, options: { upTo?: number; limit: number }): Cron[] =>
  transaction.system.list(TABLE, "by_nextMs", options).flatMap((row) => readCron(row) ?? []);

const nextOf = (spec: CronSpec, anchorMs: number, afterMs: number): number =>
  nextTime(parseSchedule(spec.name, spec.schedule), anchorMs, afterMs) ?? NEVER_MS;

export type CronDiff = { added: string[]; updated: string[]; deleted: string[] };

/**
 * Makes `specs` the crons of one component. An interval starts with the push, anything else with its next time.
 */
export function applyCrons(
  transaction: Transaction,
  component: ComponentPath,
  specs: readonly CronSpec[],
): CronDiff {
  const rows = transaction.system
    .list(TABLE, "by_name", { limit: CRONS_MAX })
    .filter((row) => componentOf(row) === component);
  const known = new Map(rows.map((row) => [String(row["name"]), row]));
  const diff: CronDiff = { added: [], updated: [], deleted: [] };
  for (const spec of specs) {
    const row = known.get(spec.name);
    known.delete(spec.name);
    const text = JSON.stringify(spec);
    if (row?.["spec"] === text) continue;
    (row === undefined ? diff.added : diff.updated).push(spec.name);
    const nextMs = nextOf(spec, transaction.nowMs, transaction.nowMs - 1);
    const owner: JsonObject = component === "" ? {} : { component };
    if (row === undefined)
      transaction.system.insert(TABLE, { name: spec.name, ...owner, spec: text, nextMs });
    else transaction.system.patch(row._id, { spec: text, nextMs });
  }
  for (const [name, row] of known) {
    diff.deleted.push(name);
    transaction.system.delete(row._id);
  }
  return diff;
}

/** The loop that runs crons. No cron ever runs twice at once: its next time counts only when the last run has ended. */
export function createCronLoop(parts: SchedulerParts): DueLoop<Cron> {
  const { clock, chaos } = parts;
  /** When a cron starts: at its time, or up to a minute later under chaos. */
  const startMs = (cron: Cron): number =>
    cron.nextMs + (chaos?.cronDelayMs(`${cron.rowId} ${cron.nextMs}`) ?? 0);
  const byStart = (crons: Cron[]): Cron[] => crons.sort((a, b) => startMs(a) - startMs(b));
  const waiting = (running: ReadonlySet<string>, upToMs: number | null, limit: number): Cron[] =>
    listCrons(beginLook(parts), {
      limit: limit + running.size,
      ...(upToMs !== null && { upTo: upToMs }),
    }).filter((cron) => !running.has(cron.rowId));
  return new DueLoop<Cron>(clock, {
    parallel: PARALLEL_CRONS,
    keyOf: (cron) => cron.rowId,
    due: (running, limit) =>
      byStart(waiting(running, clock.nowMs(), chaos === null ? limit : CRONS_MAX))
        .filter((cron) => startMs(cron) <= clock.nowMs())
        .slice(0, limit),
    nextDueMs: (running) => {
      const [next] = byStart(waiting(running, null, chaos === null ? 1 : CRONS_MAX));
      return next === undefined ? null : startMs(next);
    },
    run: (cron) => runCron(parts, cron),
  });
}

async function runCron(parts: SchedulerParts, cron: Cron): Promise<void> {
  try {
    const found = findSchedulable(parts.current(), { component: cron.component, path: cron.spec.path });
    if ("problem" in found) {
      await writeUntilDone(parts, (transaction) => advance(parts, transaction, cron));
      parts.log(`cron ${titleOf(cron)} could not run: ${found.problem}`);
    } else if (found.spec.kind === "mutation") {
      await runMutationCron(parts, cron);
    } else {
      await runActionCron(parts, cron);
    }
  } catch (error) {
    if (parts.stopping()) return;
    parts.log(`cron ${titleOf(cron)} could not run: ${String(error)}`);
    await pause(conflictPauseMs(4, parts.clock), parts.clock);
  }
}

/**
 * Moves a cron to its next time, as long as it still is what it was when it was found due. Times that have passed
 * meanwhile are skipped. Answers whether it was.
 */
function advance(
  parts: SchedulerParts,
  transaction: Transaction,
  cron: Cron,
  more: { [field: string]: JsonValue } = {},
): boolean {
  const row = transaction.system.get(cron.rowId);
  const now = row === null ? null : readCron(row);
  if (now === null || now.nextMs !== cron.nextMs || now.nextMs > transaction.nowMs) return false;
  const nextMs = nextOf(cron.spec, cron.nextMs, transaction.nowMs);
  if (nextOf(cron.spec, cron.nextMs, cron.nextMs) < nextMs) {
    parts.log(
      `cron ${titleOf(cron)} is late: times before ${new Date(transaction.nowMs).toISOString()} are skipped`,
    );
  }
  transaction.system.patch(cron.rowId, { nextMs, ...more });
  return true;
}

/** The function's writes and the next time are one transaction: each time counts once, also across a crash. */
async function runMutationCron(parts: SchedulerParts, cron: Cron): Promise<void> {
  const { database, clock, transactional } = parts;
  const call = scheduledCall(parts, {
    component: cron.component,
    path: cron.spec.path,
    args: cron.spec.args,
    job: null,
    from: "Cron",
  });
  const startMs = clock.nowMs();
  for (let failures = 0; ; failures++) {
    const transaction = database.begin({ kind: "mutation", nowMs: clock.nowMs() });
    if (!advance(parts, transaction, cron)) return;
    const context = transactional.context(call);
    let result = await transactional.mutationIn(transaction, call, context);
    try {
      if (result.ok) await database.commit(transaction);
    } catch (error) {
      if (isConflict(error)) {
        await pause(conflictPauseMs(failures, clock), clock);
        continue;
      }
      result = { ok: false, error: ofEngineError(error) };
    }
    if (!result.ok) {
      parts.log(`cron ${titleOf(cron)} failed: ${errorText(result.error).trimEnd()}`);
      await writeUntilDone(parts, (again) => void advance(parts, again, cron));
    }
    transactional.report("Mutation", call, context.logs, result, startMs);
    return;
  }
}

/** At most once per time: the next time is durable before the action starts. */
async function runActionCron(parts: SchedulerParts, cron: Cron): Promise<void> {
  const leave = await parts.actions.takePlace();
  try {
    let due = false;
    await writeUntilDone(parts, (transaction) => {
      due = advance(parts, transaction, cron, { runningSinceMs: transaction.nowMs });
    });
    if (!due) return;
    parts.faults?.at("cron_claimed", null);
    const call = scheduledCall(parts, {
      component: cron.component,
      path: cron.spec.path,
      args: cron.spec.args,
      job: null,
      from: "Cron",
    });
    const { result } = await parts.actions.run(call);
    if (!result.ok) parts.log(`cron ${titleOf(cron)} failed: ${errorText(result.error).trimEnd()}`);
    const forget = (transaction: Transaction): void => {
      if (transaction.system.get(cron.rowId) !== null) {
        transaction.system.patch(cron.rowId, { runningSinceMs: undefined });
      }
    };
    await writeUntilDone(parts, forget, "patient");
  } finally {
    leave();
  }
}

/** At boot: actions of crons that were under way when the process ended are not run again. Answers their names. */
export async function forgetInterrupted(parts: SchedulerParts): Promise<string[]> {
  const transaction = beginWork(parts);
  const interrupted = listCrons(transaction, { limit: CRONS_MAX }).filter(
    (cron) => cron.runningSinceMs !== null,
  );
  for (const cron of interrupted) transaction.system.patch(cron.rowId, { runningSinceMs: undefined });
  await parts.database.commit(transaction);
  return interrupted.map(titleOf);
}
