import { z } from "zod";
import { developerError } from "../errors";
import { cancelJob, scheduleJob } from "../scheduler/jobs";
import type { JsonValue, Transaction } from "../types";
import type { ActionCall } from "./actions/host";
import { OUT_OF_MEMORY, TRANSIENT_ERROR } from "./actions/host";
import { addressFields, type Namer, resolveAddress } from "./address";
import { type CallContext, passIdentity, userIdentity } from "./call-context";
import { checkArgs, checkResult } from "./check-values";
import { type FunctionError, NestedFailure, ofThrown, plainError } from "./failure";
import {
  ACTION_PENDING_MAX,
  ACTION_WAIT_MS_MAX,
  CONCURRENT_ACTIONS_MAX,
  ISOLATE_ACTION_TIME_MS_MAX,
  NODE_ACTION_TIME_MS_MAX,
  WAITING_CALLS_MAX,
} from "./limits";
import type { LogLines } from "./log-lines";
import { canonicalPath, type FunctionAddress } from "./path";
import { Places } from "./places";
import type { Program } from "./program";
import { type FunctionSpec, isError, type Release } from "./release";
import type { RunResult } from "./run-function";
import type { ThrownJson } from "./sandbox/port";
import { answerAnywhere, requestMetadata, schedulable } from "./syscalls";
import {
  conflictPauseMs,
  findFunction,
  type InnerCall,
  isConflict,
  pause,
  type TransactionalCalls,
  type TransactionalParts,
} from "./transactional-calls";

export type ActionRunEnd = { result: RunResult; logs: LogLines };

/** A running action: the release that it began on, what it is, and who called it. */
type RunningAction = { release: Release; address: FunctionAddress; context: CallContext };

const namerOf = ({ release, address }: RunningAction, transaction: Transaction): Namer => ({
  release,
  component: address.component,
  transaction,
});

const callArgs = z.object({ ...addressFields, args: z.json() });
const scheduleArgs = z.object({ ...addressFields, args: z.json(), ts: z.number() });
const storageArgs = z.object({ storageId: z.string() });

/** Actions: they run in workers, and each of their system calls is a transaction of its own. */
export class ActionCalls {
  readonly #parts: TransactionalParts;
  readonly #transactional: TransactionalCalls;
  readonly #places = new Places("actions", CONCURRENT_ACTIONS_MAX, WAITING_CALLS_MAX);

  constructor(parts: TransactionalParts, transactional: TransactionalCalls) {
    this.#parts = parts;
    this.#transactional = transactional;
  }

  /** Resolves when no action runs. */
  whenIdle(): Promise<void> {
    return this.#places.whenIdle();
  }

  /** A place among the running actions; give it back by calling the answer. */
  takePlace(): Promise<() => void> {
    return this.#places.take();
  }

  async action(call: InnerCall): Promise<ActionRunEnd> {
    const leave = await this.#places.take();
    try {
      return await this.run(call);
    } finally {
      leave();
    }
  }

  /** Runs an action without taking a place: an action that waits for another one must not wait for its own end. */
  async run(call: InnerCall): Promise<ActionRunEnd> {
    const { clock, catalog } = this.#parts;
    const startMs = clock.nowMs();
    const context = this.#transactional.context(call);
    const release = this.#parts.current();
    const spec = findFunction(release, call, "action");
    let result: RunResult;
    if (isError(spec)) {
      result = { ok: false, error: spec };
    } else {
      const given = checkArgs(spec, call.args, catalog);
      result = given.ok ? await this.#inWorker(release, spec, call, context) : given;
      if (result.ok) {
        const answer = checkResult(spec, result.value, catalog);
        if (!answer.ok) result = answer;
      }
    }
    this.#transactional.report("Action", call, context.logs, result, startMs);
    return { result, logs: context.logs };
  }

  async #inWorker(
    release: Release,
    spec: FunctionSpec,
    call: InnerCall,
    context: CallContext,
  ): Promise<RunResult> {
    const { module, name } = spec.path;
    const request = { path: module, name, requestId: call.requestId, argsJson: JSON.stringify([call.args]) };
    const mount = release.mountOf(spec);
    for (;;) {
      const running = mount.actions(spec.environment).run(this.bridge(release, spec, context), request);
      const cancelTimer = this.limitTime(spec.environment, running.abandon);
      const cancelStall = this.limitWait(running.withdraw);
      const end = await running.end;
      cancelTimer();
      cancelStall();
      if (end.ok) return end;
      if ("thrown" in end) return { ok: false, error: describeEnd(end.thrown, mount.component.program) };
    }
  }

  /** Takes a call away from a worker that does not come to it. Answers how to call that off. */
  limitWait(withdraw: () => void): () => void {
    return this.#parts.clock.setTimer(ACTION_WAIT_MS_MAX, withdraw);
  }

  /** Ends the wait for an action whose time is over. Answers how to call that off. */
  limitTime(environment: "isolate" | "node", abandon: (thrown: ThrownJson) => void): () => void {
    const limitMs = environment === "node" ? NODE_ACTION_TIME_MS_MAX : ISOLATE_ACTION_TIME_MS_MAX;
    return this.#parts.clock.setTimer(limitMs, () => {
      abandon({ message: `Function execution timed out (maximum duration: ${limitMs / 1000}s)`, stack: "" });
    });
  }

  /** The engine's side of one running action. */
  bridge(release: Release, address: FunctionAddress, context: CallContext): ActionCall {
    const running = { release, address, context };
    let pending = 0;
    return {
      log: (level, text) => context.logs.add(level, text),
      syscall: async (op, argsJson) => {
        if (pending >= ACTION_PENDING_MAX) {
          throw developerError(
            "TooManyPendingOperations",
            `An action may have ${ACTION_PENDING_MAX} operations under way at once.`,
          );
        }
        pending++;
        try {
          return await this.#answer(op, JSON.parse(argsJson), running);
        } finally {
          pending--;
        }
      },
    };
  }

  async #answer(op: string, args: unknown, running: RunningAction): Promise<string> {
    if (op === "1.0/actions/query" || op === "1.0/actions/mutation" || op === "1.0/actions/action") {
      return this.#nested(op, callArgs.parse(args), running);
    }
    const answer = await this.#answerOther(op, args, running);
    return JSON.stringify(answer ?? null);
  }

  async #nested(op: string, given: z.infer<typeof callArgs>, running: RunningAction): Promise<string> {
    const { context } = running;
    const { component, path } = this.#read((transaction) =>
      resolveAddress(given, namerOf(running, transaction)),
    );
    const call: InnerCall = {
      component,
      path: canonicalPath(path),
      args: given.args,
      identity: passIdentity(context.identity, running.address.component, component),
      requestId: context.requestId,
      caller: context.caller,
      trusted: true,
      scheduledJob: context.scheduledJob,
      from: "Action",
    };
    const { result } =
      op === "1.0/actions/query"
        ? await this.#transactional.query(call, null)
        : op === "1.0/actions/mutation"
          ? await this.#transactional.mutation(call, null)
          : await this.run(call);
    if (!result.ok) throw new NestedFailure(result.error);
    if (op === "1.0/actions/mutation") this.#parts.faults?.at("action_between_calls", null);
    return result.value;
  }

  async #answerOther(op: string, args: unknown, running: RunningAction): Promise<JsonValue | undefined> {
    const { files } = this.#parts;
    const { release, address, context } = running;
    const { component } = address;
    switch (op) {
      case "1.0/actions/schedule": {
        const given = scheduleArgs.parse(args);
        return this.#write((transaction) =>
          scheduleJob(transaction, {
            ...schedulable(release, resolveAddress(given, namerOf(running, transaction))),
            owner: component,
            args: given.args,
            dueMs: given.ts * 1000,
            parent: context.scheduledJob,
          }),
        );
      }
      case "1.0/actions/cancel_job": {
        const { id } = z.object({ id: z.string() }).parse(args);
        await this.#write((transaction) => cancelJob(transaction, { id, component }, null));
        return null;
      }
      case "1.0/createFunctionHandle": {
        const given = z.object(addressFields).parse(args);
        return this.#read((transaction) =>
          release.handles.of(resolveAddress(given, namerOf(running, transaction)), transaction),
        );
      }
      case "1.0/storageGenerateUploadUrl":
        return files.generateUploadUrl(component);
      case "1.0/storageGetUrl":
        return this.#read((transaction) =>
          files.getUrl(transaction, storageArgs.parse(args).storageId, component),
        );
      case "1.0/storageGetMetadata":
        return this.#read((transaction) =>
          files.getMetadata(transaction, storageArgs.parse(args).storageId, component),
        );
      case "1.0/storageDelete":
        await this.#write((transaction) =>
          files.remove(transaction, storageArgs.parse(args).storageId, component),
        );
        return null;
      case "1.0/getUserIdentity":
        return component === "" ? userIdentity(context.identity) : null;
      case "1.0/getRequestMetadata":
        return requestMetadata(context);
      case "1.0/actions/vectorSearch":
        throw developerError("NotSupported", "Vector search is not supported by this backend.");
      default:
        return answerAnywhere(op, address);
    }
  }

  #read<T>(read: (transaction: Transaction) => T): T {
    const { database, clock } = this.#parts;
    return read(database.begin({ kind: "query", nowMs: clock.nowMs() }));
  }

  /** One small transaction; losing against another one is settled by doing it again. */
  async #write<T>(write: (transaction: Transaction) => T): Promise<T> {
    const { database, clock } = this.#parts;
    for (let failures = 0; ; failures++) {
      const transaction = database.begin({ kind: "mutation", nowMs: clock.nowMs() });
      const answer = write(transaction);
      try {
        await database.commit(transaction);
        return answer;
      } catch (error) {
        if (!isConflict(error)) throw error;
        await pause(conflictPauseMs(failures, clock), clock);
      }
    }
  }
}

/** An error of an action; those that the engine made itself carry no "Uncaught" and no place. */
export const describeEnd = (thrown: ThrownJson, program: Program): FunctionError =>
  thrown.message === TRANSIENT_ERROR || thrown.message === OUT_OF_MEMORY
    ? plainError(thrown.message)
    : ofThrown(thrown, program);
