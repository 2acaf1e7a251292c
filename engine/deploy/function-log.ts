import type { Clock } from "../clock";
import type { FunctionError } from "../functions/failure";
import { errorText } from "../functions/failure";
import type { LogLine } from "../functions/log-lines";
import type { ComponentPath, Identity, JsonValue } from "../types";

/** Entries kept for `convex logs --history`; older ones are forgotten. */
const ENTRIES_MAX = 1_000;

export type LoggedRun = {
  kind: "Query" | "Mutation" | "Action" | "HttpAction";
  component: ComponentPath;
  /** `messages:list`, or method and route of an HTTP action. */
  name: string;
  lines: readonly LogLine[];
  error: FunctionError | null;
  startMs: number;
  requestId: string;
  identity: Identity;
  environment: "isolate" | "node";
  caller: "HttpApi" | "SyncWorker" | "Scheduler" | "Cron" | "Action";
};

type Waiting = () => void;

/**
 * The newest finished runs, in the shape that `convex logs` and `convex dev` print. A cursor is the time of the last
 * entry in milliseconds, made unique by steps of a thousandth.
 */
export class FunctionLog {
  readonly #clock: Clock;
  readonly #entries: { cursor: number; run: LoggedRun; endMs: number }[] = [];
  #waiting: Waiting[] = [];
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(run: LoggedRun): void {
    const nowMs = this.#clock.nowMs();
    this.#last = Math.max(nowMs, this.#last + 0.001);
    this.#entries.push({ cursor: this.#last, run, endMs: nowMs });
    if (this.#entries.length > ENTRIES_MAX) this.#entries.shift();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Entries after `cursor`. Without any it waits for the next, except at the start, where the head is asked for. */
  async read(cursor: number): Promise<{ entries: JsonValue[]; newCursor: number }> {
    if (cursor > 0 && cursor >= this.#last) await new Promise<void>((wake) => this.#waiting.push(wake));
    const entries = this.#entries
      .filter((item) => item.cursor > cursor)
      .map((item) => toEntry(item.run, item.endMs));
    return { entries, newCursor: Math.max(this.#last, this.#clock.nowMs() - 1, cursor) };
  }
}

function toEntry(run: LoggedRun, endMs: number): JsonValue {
  return {
    kind: "Completion",
    udfType: run.kind,
    identifier: run.name,
    componentPath: run.component === "" ? null : run.component,
    timestamp: endMs / 1000,
    executionTimestamp: run.startMs / 1000,
    executionTime: (endMs - run.startMs) / 1000,
    userExecutionTime: null,
    logLines: run.lines.map((line) => ({
      messages: [line.text],
      level: line.level,
      timestamp: line.timestampMs,
      isTruncated: line.truncated,
    })),
    success: run.error === null ? { status: "success" } : null,
    error: run.error === null ? null : errorText(run.error).trimEnd(),
    requestId: run.requestId,
    executionId: run.requestId,
    parentExecutionId: null,
    caller: run.caller,
    environment: run.environment,
    identityType: IDENTITY_TYPES[run.identity.kind],
    cachedResult: false,
    willRetry: false,
    occInfo: null,
    returnBytes: null,
    usageStats: {},
  };
}

const IDENTITY_TYPES: { [kind in Identity["kind"]]: string } = {
  none: "unknown",
  user: "user",
  admin: "instance_admin",
  unknown: "unknown",
};
