import type { Chaos } from "../chaos";
import type { Clock } from "../clock";
import { EngineError } from "../errors";
import type { Faults } from "../faults";
import type { ActionCalls } from "../functions/action-calls";
import { inComponent, missingFunction, parseFunctionPath } from "../functions/path";
import type { FunctionSpec, Release } from "../functions/release";
import {
  conflictPauseMs,
  type InnerCall,
  isConflict,
  pause,
  type TransactionalCalls,
} from "../functions/transactional-calls";
import type { ComponentPath, Database, JsonValue, Transaction } from "../types";
import type { JobRef } from "./jobs";

/** What scheduled work needs of the engine. */
export type SchedulerParts = {
  database: Database;
  clock: Clock;
  chaos: Chaos | null;
  faults?: Faults | null;
  transactional: TransactionalCalls;
  actions: ActionCalls;
  current(): Release;
  requestId(): string;
  /** True from the moment on when the engine ends: what fails now is for the next start. */
  stopping(): boolean;
  log(line: string): void;
};

export const beginWork = ({ database, clock }: SchedulerParts): Transaction =>
  database.begin({ kind: "mutation", nowMs: clock.nowMs(), unlimited: true });

export const beginLook = ({ database, clock }: SchedulerParts): Transaction =>
  database.begin({ kind: "query", nowMs: clock.nowMs(), unlimited: true });

/** Pause before a write is tried again that the disk did not take. */
const FULL_DISK_PAUSE_MS = 500;

/**
 * A small transaction of the scheduler itself, repeated until it wins. What notes the end of work that has been done
 * also waits for the disk to have room again (`patient`): nobody else would note it before the next start.
 */
export async function writeUntilDone(
  parts: SchedulerParts,
  write: (transaction: Transaction) => void,
  patience: "patient" | "impatient" = "impatient",
): Promise<void> {
  for (let failures = 0; ; failures++) {
    const transaction = beginWork(parts);
    write(transaction);
    try {
      await parts.database.commit(transaction);
      return;
    } catch (error) {
      const isFull = error instanceof EngineError && error.kind === "overloaded";
      if (isFull && patience === "patient" && !parts.stopping()) {
        await pause(FULL_DISK_PAUSE_MS, parts.clock);
        continue;
      }
      if (!isConflict(error)) throw error;
      await pause(conflictPauseMs(failures, parts.clock), parts.clock);
    }
  }
}

/** What a stored path means now: functions may have gone since it was stored. */
export function findSchedulable(
  release: Release,
  { component, path }: { component: ComponentPath; path: string },
): { spec: FunctionSpec } | { problem: string } {
  const spec = release.find({ component, path: parseFunctionPath(path) });
  if (spec === undefined) return { problem: missingFunction(path.replace(/\.js:/, ":"), component) };
  if (spec.kind === "query") {
    return {
      problem: `Unsupported function type. ${path}${inComponent(component)} is defined as a Query. Only Mutation and Action can be scheduled.`,
    };
  }
  return { spec };
}

/** Scheduled work runs as nobody: identities do not travel through time. */
export const scheduledCall = (
  parts: SchedulerParts,
  work: {
    component: ComponentPath;
    path: string;
    args: JsonValue;
    job: JobRef | null;
    from: "Scheduler" | "Cron";
  },
): InnerCall => ({
  component: work.component,
  path: work.path,
  args: work.args,
  identity: { kind: "none" },
  requestId: parts.requestId(),
  caller: {},
  trusted: true,
  scheduledJob: work.job,
  from: work.from,
});
