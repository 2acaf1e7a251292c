import type { Clock } from "../clock";
import type { FunctionLog, LoggedRun } from "../deploy/function-log";
import { EngineError } from "../errors";
import type { Faults } from "../faults";
import type { JobRef } from "../scheduler/jobs";
import type {
  ComponentPath,
  Database,
  FunctionKind,
  Identity,
  JsonValue,
  ReadSet,
  Timestamp,
  Transaction,
} from "../types";
import { resolveCommitTs } from "../values/commit-ts";
import type { CallContext } from "./call-context";
import { type FunctionError, ofEngineError, plainError } from "./failure";
import {
  CONCURRENT_MUTATIONS_MAX,
  CONCURRENT_QUERIES_MAX,
  CONFLICT_BACKOFF_MS_MAX,
  CONFLICT_BACKOFF_MS_MIN,
  CONFLICT_RETRIES_MAX,
  CONTENDED_MS,
  WAITING_CALLS_MAX,
} from "./limits";
import { LogLines } from "./log-lines";
import { canonicalPath, parseFunctionPath } from "./path";
import { Places } from "./places";
import { type FunctionSpec, isError, type Release } from "./release";
import { type RunnerParts, type RunResult, runFunction } from "./run-function";
import { runTwice } from "./run-twice";
import { findResult, type Once, storeResult } from "./session-results";
import { warningsOf } from "./warnings";

/** The function that a call means, or the error that its caller reads. */
export function findFunction(
  release: Release,
  call: InnerCall,
  kind: FunctionKind,
): FunctionSpec | FunctionError {
  const { component } = call;
  try {
    const path = parseFunctionPath(call.path);
    return release.resolve({ component, path }, kind, call.identity, call.trusted);
  } catch (error) {
    return ofEngineError(error);
  }
}

/** A call as it goes through the engine: everything about the caller is known. */
export type InnerCall = {
  /** Path of the component; "" is the app. */
  component: ComponentPath;
  path: string;
  args: JsonValue;
  identity: Identity;
  requestId: string;
  caller: { ip?: string; userAgent?: string };
  /** True for calls of other functions, the scheduler and crons: they may call internal functions. */
  trusted: boolean;
  scheduledJob: JobRef | null;
  from: LoggedRun["caller"];
};

export type QueryEnd = {
  result: RunResult;
  logs: LogLines;
  ts: Timestamp;
  reads: ReadSet;
  journal: string | null;
  saw: { identity: boolean; clock: boolean };
};

/** `ts` is null where nothing was committed. */
export type MutationEnd = { result: RunResult; logLines: string[]; ts: Timestamp | null };

export type TransactionalParts = RunnerParts & {
  database: Database;
  faults?: Faults | null;
  log: FunctionLog;
  current(): Release;
};

/** Pause before the next round of a mutation that lost: doubled each time, and spread so that losers do not meet again. */
export function conflictPauseMs(failures: number, clock: Clock): number {
  const fullMs = Math.min(CONFLICT_BACKOFF_MS_MAX, CONFLICT_BACKOFF_MS_MIN * 2 ** failures);
  const [spread = 0] = clock.randomBytes(1);
  return fullMs * (0.5 + spread / 512);
}

export const pause = (ms: number, clock: Clock): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });

export const isConflict = (error: unknown): error is EngineError =>
  error instanceof EngineError && error.kind === "conflict";

const lostTooOften = (error: EngineError, { logs }: CallContext): MutationEnd => ({
  result: { ok: false, error: plainError(error.message) },
  logLines: logs.toWire(),
  ts: null,
});

const nameOf = ({ component, path }: InnerCall): string => `${component}:${path}`;

/** Queries and mutations: places, transactions, retries, results kept for clients that ask again. */
export class TransactionalCalls {
  readonly #parts: TransactionalParts;
  readonly #queries = new Places("queries", CONCURRENT_QUERIES_MAX, WAITING_CALLS_MAX);
  readonly #mutations = new Places("mutations", CONCURRENT_MUTATIONS_MAX, WAITING_CALLS_MAX);
  /**
   * Where a mutation that lost waits for its rerun, and a mutation of a function that lost lately for its first run. One
   * at a time: on a row that everybody writes, runs that meet each other lose again, and all but a few would fail.
   * A turn ends when the commit is accepted, because the next one sees it from then on.
   */
  readonly #turns = new Places("mutations that take turns", 1, WAITING_CALLS_MAX);
  /** Functions that lost lately, and until when their runs take turns (ms of the clock). */
  readonly #contended = new Map<string, number>();
  /** Until when every mutation takes turns, because one lost again in its turn. */
  #allContendedUntil = 0;

  constructor(parts: TransactionalParts) {
    this.#parts = parts;
  }

  /** Resolves when no query and no mutation runs. */
  async whenIdle(): Promise<void> {
    await Promise.all([this.#queries.whenIdle(), this.#mutations.whenIdle()]);
  }

  /** @param ts the snapshot to read; the newest one by default */
  async query(call: InnerCall, journal: string | null, ts?: Timestamp): Promise<QueryEnd> {
    const { clock, database } = this.#parts;
    const leave = await this.#queries.take();
    try {
      const startMs = clock.nowMs();
      const snapshot = ts === undefined ? {} : { ts };
      const transaction = database.begin({ kind: "query", nowMs: startMs, journal, ...snapshot });
      const context = this.context(call);
      const result = await this.runIn(transaction, "query", call, context);
      this.report("Query", call, context.logs, result, startMs);
      const { saw, logs } = context;
      return {
        result,
        logs,
        saw,
        ts: transaction.beginTs,
        reads: transaction.reads,
        journal: transaction.nextJournal,
      };
    } finally {
      leave();
    }
  }

  /** Runs a mutation until it is committed, has failed, or has lost too often. */
  async mutation(call: InnerCall, once: Once | null): Promise<MutationEnd> {
    const { clock, chaos } = this.#parts;
    const startMs = clock.nowMs();
    let leave: (() => void) | null = this.#isContended(call) ? await this.#turns.take() : null;
    const endTurn = () => {
      leave?.();
      leave = null;
    };
    try {
      for (let failures = 0; ; failures++) {
        const context = this.context(call);
        const loses = failures === 0 && chaos?.loses() === true;
        const attempt = this.#attempt(call, context, { once, loses, accepted: endTurn });
        const end = await attempt.catch((error: unknown) => {
          if (!isConflict(error)) throw error;
          return failures < CONFLICT_RETRIES_MAX ? null : lostTooOften(error, context);
        });
        if (end !== null) {
          this.report("Mutation", call, context.logs, end.result, startMs);
          return end;
        }
        // A rerun sees the winner, so that it needs no pause, only its turn.
        if (chaos === null) {
          this.#contended.set(nameOf(call), clock.nowMs() + CONTENDED_MS);
          if (failures > 0) this.#allContendedUntil = clock.nowMs() + CONTENDED_MS;
          leave ??= await this.#turns.take();
          // Nobody but a scheduled call begins any more without a turn, so that this run is alone when these have ended.
          if (failures > 0) await this.#mutations.whenTheseLeft();
        } else await pause(conflictPauseMs(failures, clock), clock);
      }
    } finally {
      endTurn();
    }
  }

  #isContended(call: InnerCall): boolean {
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs < this.#allContendedUntil) return true;
    const until = this.#contended.get(nameOf(call));
    if (until === undefined) return false;
    // While turns are waited for, a run out of turn would make those lose that have waited.
    if (nowMs < until || this.#turns.busy > 0) return true;
    this.#contended.delete(nameOf(call));
    return false;
  }

  /**
   * @param loses true to end it as if it had lost against another one
   * @param accepted called when nothing that runs from now on can make it lose
   */
  async #attempt(
    call: InnerCall,
    context: CallContext,
    { once, loses, accepted }: { once: Once | null; loses: boolean; accepted: () => void },
  ): Promise<MutationEnd> {
    const { database, clock } = this.#parts;
    const leave = await this.#mutations.take();
    let transaction: Transaction;
    let result: RunResult;
    try {
      // Begun in its place, not while it waits for one: an old snapshot loses to everything committed meanwhile.
      transaction = database.begin({ kind: "mutation", nowMs: clock.nowMs(), ahead: true });
      const stored = once === null ? null : findResult(transaction, once);
      // The commit that stored it is older than this snapshot, so a client that has seen the snapshot has seen it.
      if (stored !== null) {
        accepted();
        await database.settled(transaction);
        return {
          result: { ok: true, value: stored.value },
          logLines: stored.logLines,
          ts: transaction.beginTs,
        };
      }
      result = await this.runIn(transaction, "mutation", call, context);
    } finally {
      // Waiting for the disk is no work: the next mutation may run meanwhile and join the same group commit.
      leave();
    }
    const logLines = context.logs.toWire();
    if (!result.ok) {
      accepted();
      await database.settled(transaction);
      return { result, logLines, ts: null };
    }
    if (loses) throw new EngineError("conflict", "Chaos", "Another mutation was made to win.");
    try {
      if (once !== null) storeResult(transaction, once, { value: result.value, logLines });
      const { ts } = await database.commit(transaction, accepted);
      return { result: { ok: true, value: resolveCommitTs(result.value, ts) }, logLines, ts };
    } catch (error) {
      return { result: { ok: false, error: ofEngineError(error) }, logLines, ts: null };
    }
  }

  /** Runs a mutation inside a transaction that the caller commits. */
  async mutationIn(transaction: Transaction, call: InnerCall, context: CallContext): Promise<RunResult> {
    const leave = await this.#mutations.take();
    try {
      return await this.runIn(transaction, "mutation", call, context);
    } finally {
      // Waiting for the disk is no work: the next mutation may run meanwhile and join the same group commit.
      leave();
    }
  }

  /** Runs a call in a transaction. Overridden where functions do not run in realms. */
  protected async runIn(
    transaction: Transaction,
    kind: "query" | "mutation",
    call: InnerCall,
    context: CallContext,
  ): Promise<RunResult> {
    const release = this.#parts.current();
    const found = findFunction(release, call, kind);
    if (isError(found)) return { ok: false, error: found };
    const run = (inside: Transaction, as: CallContext) =>
      runFunction(this.#parts, {
        release,
        transaction: inside,
        spec: found,
        args: call.args,
        context: as,
        depth: 0,
      });
    const result =
      this.#parts.chaos === null
        ? await run(transaction, context)
        : await runTwice(canonicalPath(found.path), transaction, [this.context(call), context], run);
    for (const line of warningsOf(found, context, transaction)) context.logs.warn(line);
    return result;
  }

  context(call: InnerCall): CallContext {
    return {
      identity: call.identity,
      requestId: call.requestId,
      caller: call.caller,
      scheduledJob: call.scheduledJob,
      logs: new LogLines(this.#parts.clock),
      saw: { identity: false, clock: false },
      fate: null,
      used: { argsBytes: 0, resultBytes: 0, userMs: 0 },
    };
  }

  report(kind: LoggedRun["kind"], call: InnerCall, logs: LogLines, result: RunResult, startMs: number): void {
    this.#parts.log.add({
      kind,
      component: call.component,
      name: call.path.replace(/\.js:/, ":"),
      lines: logs.lines,
      error: result.ok ? null : result.error,
      startMs,
      requestId: call.requestId,
      identity: call.identity,
      environment: "isolate",
      caller: call.from,
    });
  }
}
