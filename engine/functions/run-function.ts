import type { Chaos } from "../chaos";
import type { Clock } from "../clock";
import { EngineError } from "../errors";
import type { Catalog, Files, JsonValue, Transaction } from "../types";
import { refuseCommitTs } from "../values/commit-ts";
import type { CallContext } from "./call-context";
import { checkArgs, checkResult } from "./check-values";
import { type FunctionError, failedCall, ofEngineError, ofThrown, plainError } from "./failure";
import { USER_TIME_MS_MAX } from "./limits";
import { runNested } from "./nested-call";
import type { Program } from "./program";
import type { Realm, RealmListener } from "./realm";
import type { FunctionSpec, Release } from "./release";
import type { Rounds } from "./rounds";
import { answerAsync, answerSync, type SyscallScope } from "./syscalls";

/** What runs queries and mutations needs of the engine. */
export type RunnerParts = {
  rounds: Rounds;
  files: Files;
  catalog: Catalog;
  clock: Clock;
  chaos: Chaos | null;
  newSeed(): string;
};

export type RunRequest = {
  release: Release;
  transaction: Transaction;
  spec: FunctionSpec;
  args: JsonValue;
  context: CallContext;
  /** 0 for a call from outside, one more for each nested runQuery or runMutation. */
  depth: number;
};

/** `value` is encoded JSON text. */
export type RunResult = { ok: true; value: string } | { ok: false; error: FunctionError };

type Queued = { id: number; op: string; argsJson: string };
type Answered = { id: number; ok: boolean; payload: string };

const RUN_UDF = "1.0/runUdf";
/** A function that keeps the database busy for longer lets others go first. */
const STEP_MS_MAX = 10;

const SEED_BYTES = 16;
/** Seeds that are drawn at once: asking the system for a few bytes costs as much as asking for many. */
const SEEDS_PER_DRAW = 256;

/** Seeds of calls, 16 bytes as hex. */
export function createSeeds(clock: Clock): () => string {
  let drawn = "";
  return () => {
    if (drawn === "") drawn = Buffer.from(clock.randomBytes(SEED_BYTES * SEEDS_PER_DRAW)).toString("hex");
    const seed = drawn.slice(0, SEED_BYTES * 2);
    drawn = drawn.slice(SEED_BYTES * 2);
    return seed;
  };
}

/**
 * Runs one query or mutation in a realm, inside `transaction`. Checks arguments and result. Errors of the function
 * are values; only failures of the engine, or of the transaction as a whole, are thrown.
 */
export async function runFunction(parts: RunnerParts, request: RunRequest): Promise<RunResult> {
  const { spec, args, release } = request;
  const given = checkArgs(spec, args, parts.catalog);
  if (!given.ok) return given;
  const { realms } = release.mountOf(spec);
  const realm = realms.lease();
  const run = new Run(parts, request, realm);
  let clean = false;
  try {
    const result = await run.toEnd();
    clean = run.leftNothing;
    if (!result.ok) return result;
    const answer = checkResult(spec, result.value, parts.catalog);
    if (!answer.ok) return answer;
    if (request.depth > 0) return result;
    request.context.used.resultBytes = answer.size;
    if (spec.kind === "query") refuseCommitTs(result.value, "The result of a query");
    return result;
  } catch (error) {
    return { ok: false, error: ofEngineError(error) };
  } finally {
    if (request.depth === 0) {
      Object.assign(request.context.used, { argsBytes: given.size, userMs: run.usedMs });
    }
    realms.giveBack(realm, clean);
  }
}

const toEndOfTick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One function from its first step to its last. */
class Run implements RealmListener {
  readonly #parts: RunnerParts;
  readonly #request: RunRequest;
  readonly #realm: Realm;
  readonly #scope: SyscallScope;
  #queued: Queued[] = [];
  #finished: { ok: boolean; payload: string } | null = null;
  #rejected: FunctionError | null = null;
  #broken: unknown = null;
  #timedOut = false;
  /** True while the engine itself works under the watchdog. */
  #answering = false;
  /** Time of the current round that was not the function's own. */
  #hostMs = 0;
  #usedMs = 0;

  constructor(parts: RunnerParts, request: RunRequest, realm: Realm) {
    this.#parts = parts;
    this.#request = request;
    this.#realm = realm;
    const { release, transaction, spec, context } = request;
    this.#scope = { release, transaction, files: parts.files, spec, context };
  }

  /** Whether the realm is as it was before: nothing of this call can reach into the next. */
  get leftNothing(): boolean {
    return this.#finished !== null && this.#queued.length === 0 && this.#rejected === null && !this.#timedOut;
  }

  /** Time that the function spent in its own code. */
  get usedMs(): number {
    return this.#usedMs;
  }

  async toEnd(): Promise<RunResult> {
    const { spec, args, transaction } = this.#request;
    const { port } = this.#realm;
    const argsJson = JSON.stringify([args]);
    if (this.#request.depth === 0) refuseCommitTs(argsJson, "The arguments of a call");
    const kind = spec.kind === "mutation" ? "mutation" : "query";
    this.#realm.lease(this);
    const { chaos, newSeed } = this.#parts;
    const seed = this.#request.context.fate?.seeds.draw(newSeed) ?? newSeed();
    let next = () => {
      port.begin(transaction.nowMs, seed);
      port.invoke(spec.path.module, spec.path.name, kind, argsJson);
    };
    for (;;) {
      const go = next;
      this.#hostMs = 0;
      const end = await this.#parts.rounds.run({
        run: () => this.#step(go),
        budgetMs: USER_TIME_MS_MAX - this.#usedMs,
      });
      this.#usedMs += end.usedMs - this.#hostMs;
      if (end.struck || this.#usedMs > USER_TIME_MS_MAX) return this.#overTime();
      const failed = this.#failure();
      if (failed !== null) return failed;
      if (this.#queued.length === 0) break;
      await chaos?.holdUp();
      const answers = await this.#answerAll();
      next = () => this.#settle(answers);
    }
    // Node tells of rejected promises without a listener at the end of a tick; only then is the call really over.
    await toEndOfTick();
    const failed = this.#failure();
    if (failed !== null) return failed;
    if (this.#finished === null)
      return { ok: false, error: plainError("Returned promise will never resolve") };
    return { ok: true, value: this.#finished.payload };
  }

  /**
   * Runs the function until it ends or waits for something that cannot be answered here, under the watchdog. Calls to
   * the database are answered at once: they touch nothing but the transaction of this very call, which is thrown away
   * if the watchdog strikes. Whether a call is answered here or between two rounds makes no difference to the
   * function: all that it asked for is answered, in its order, before it goes on.
   */
  #step(go: () => void): void {
    go();
    this.#realm.drain();
    const startMs = performance.now();
    // Under chaos all calls are answered between rounds, where others may come first.
    if (this.#parts.chaos !== null) return;
    while (this.#queued.length > 0 && this.#queued.every(({ op }) => op !== RUN_UDF)) {
      if (performance.now() - startMs > STEP_MS_MAX || this.#failed) return;
      const beforeMs = performance.now();
      this.#answering = true;
      const answers = this.#takeQueued().map((call) => this.#answer(call));
      this.#answering = false;
      this.#hostMs += performance.now() - beforeMs;
      this.#settle(answers);
      this.#realm.drain();
    }
  }

  #settle(answers: readonly Answered[]): void {
    for (const answer of answers) this.#realm.port.answer(answer.id, answer.ok, answer.payload);
  }

  /** Nothing more is asked of the database for a call that is lost already. */
  get #failed(): boolean {
    return this.#broken !== null || this.#rejected !== null || this.#finished?.ok === false;
  }

  #overTime(): RunResult {
    this.#timedOut = true;
    if (this.#answering) {
      throw new EngineError(
        "overloaded",
        "SystemTimeoutError",
        "Your request timed out while the database was busy. Try again later.",
      );
    }
    const seconds = USER_TIME_MS_MAX / 1000;
    return {
      ok: false,
      error: plainError(`Function execution timed out (maximum duration: ${seconds}s)`),
    };
  }

  #failure(): RunResult | null {
    if (this.#broken !== null) throw this.#broken;
    if (this.#rejected !== null) return { ok: false, error: this.#rejected };
    if (this.#finished === null || this.#finished.ok) return null;
    return { ok: false, error: ofThrown(JSON.parse(this.#finished.payload), this.#program) };
  }

  get #program(): Program {
    const { release, spec } = this.#request;
    return release.mountOf(spec).component.program;
  }

  #takeQueued(): Queued[] {
    const queued = this.#queued;
    this.#queued = [];
    return queued;
  }

  /** Answers everything that the function waits for, in the order in which it asked. */
  async #answerAll(): Promise<Answered[]> {
    const answers: Answered[] = [];
    for (const call of this.#takeQueued()) {
      answers.push(call.op === RUN_UDF ? await this.#answerNested(call) : this.#answer(call));
    }
    return answers;
  }

  /** Never throws, because it may run under the watchdog: a failure of the engine is kept for `#failure`. */
  #answer({ id, op, argsJson }: Queued): Answered {
    try {
      return { id, ok: true, payload: answerAsync(op, argsJson, this.#scope) };
    } catch (error) {
      return this.#refused(id, error);
    }
  }

  async #answerNested({ id, argsJson }: Queued): Promise<Answered> {
    try {
      return {
        id,
        ok: true,
        payload: await runNested(this.#request, argsJson, (nested) => runFunction(this.#parts, nested)),
      };
    } catch (error) {
      return this.#refused(id, error);
    }
  }

  #refused(id: number, error: unknown): Answered {
    try {
      return { id, ok: false, payload: failedCall(error) };
    } catch (unexpected) {
      this.#broken ??= unexpected;
      return { id, ok: false, payload: '{"message":"Internal error"}' };
    }
  }

  syscall(op: string, argsJson: string): string {
    try {
      return `+${answerSync(op, argsJson, this.#scope)}`;
    } catch (error) {
      if (error instanceof EngineError && error.kind === "developer") return `-${error.message}`;
      this.#broken ??= error;
      return "-Internal error";
    }
  }

  enqueue(id: number, op: string, argsJson: string): void {
    this.#queued.push({ id, op, argsJson });
  }

  log(level: string, text: string): void {
    this.#request.context.logs.add(level, text);
  }

  sawClock(): void {
    this.#request.context.saw.clock = true;
  }

  /** Called under the watchdog: the error is put into words later. */
  finish(ok: boolean, payload: string): void {
    this.#finished ??= { ok, payload };
  }

  unhandled(reason: unknown): void {
    const stack = typeof reason === "object" && reason !== null ? Reflect.get(reason, "stack") : undefined;
    const thrown = { message: `Uncaught ${String(reason)}`, stack: typeof stack === "string" ? stack : "" };
    this.#rejected ??= ofThrown(thrown, this.#program);
  }
}
