import { setImmediate as nextTurn } from "node:timers/promises";
import { developerError, EngineError } from "../errors";
import type { FileStore } from "../files/file-store";
import { checkArgs, checkResult } from "../functions/check-values";
import { failedCall, ofEngineError } from "../functions/failure";
import { runNested } from "../functions/nested-call";
import type { RunRequest, RunResult } from "../functions/run-function";
import { answerAsync, answerSync, type SyscallScope } from "../functions/syscalls";
import type { Catalog } from "../types";
import { refuseCommitTs } from "../values/commit-ts";
import { loadNamed } from "./addresses";
import { readBlobCall, storeBlobCall, toBlob, toBytes } from "./blob-calls";
import { transactionGlobals } from "./globals";
import type { LiveRelease } from "./live-release";
import { methodOf, runEngineCode, runFunctionCode, type Syscalls, syscallError } from "./syscalls";
import { liveError } from "./thrown";

/** Limits of a transaction that a test narrows, by the names of `getTransactionMetrics`. */
export type Limits = Readonly<Record<string, number | undefined>>;

export type LiveParts = { catalog: Catalog; files: FileStore; release: LiveRelease; limits: Limits };

export type LiveRequest = RunRequest & {
  /** The function: an object of `convex/server`. */
  registered: object;
  /** Whether it has the file storage of an action, as `t.run` gives it. */
  storesFiles: boolean;
};

/**
 * Runs one query or mutation where it is, inside `transaction`: the counterpart of `runFunction` for functions that
 * are no modules of a push. Checks arguments and result. Errors of the function are values.
 */
export async function runLive(parts: LiveParts, request: LiveRequest): Promise<RunResult> {
  const { spec, args, depth } = request;
  const given = checkArgs(spec, args, parts.catalog);
  if (!given.ok) return given;
  try {
    if (depth === 0) refuseCommitTs(JSON.stringify(args), "The arguments of a call");
    const result = await new LiveRun(parts, request).toEnd();
    if (!result.ok) return result;
    const answer = checkResult(spec, result.value, parts.catalog);
    if (!answer.ok) return answer;
    if (depth === 0 && spec.kind === "query") refuseCommitTs(result.value, "The result of a query");
    return result;
  } catch (error) {
    return { ok: false, error: ofEngineError(error) };
  }
}

class LiveRun implements Syscalls {
  readonly #parts: LiveParts;
  readonly #request: LiveRequest;
  readonly #scope: SyscallScope;
  /** The last answer that was asked for: calls are answered one after the other, in the order of asking. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #ended = false;
  /** A failure of the engine, which is not the function's to catch. */
  #broken: { error: unknown } | null = null;

  constructor(parts: LiveParts, request: LiveRequest) {
    this.#parts = parts;
    this.#request = request;
    const { release, transaction, spec, context } = request;
    this.#scope = { release, transaction, files: parts.files, spec, context };
  }

  async toEnd(): Promise<RunResult> {
    const { spec, args, registered, transaction } = this.#request;
    const invoke = methodOf(registered, spec.kind === "query" ? "invokeQuery" : "invokeMutation");
    const result = await runFunctionCode(this, transactionGlobals(transaction.nowMs), () =>
      invoke(JSON.stringify([args])),
    ).then(
      (value): RunResult => ({ ok: true, value: String(value) }),
      (thrown: unknown): RunResult => ({ ok: false, error: liveError(thrown) }),
    );
    // Calls that the function did not wait for belong to it, as on Convex.
    while (this.#waiting > 0) {
      await this.#last;
      await nextTurn();
    }
    this.#ended = true;
    if (this.#broken !== null) throw this.#broken.error;
    return result;
  }

  syscall(op: string, argsJson: string): string {
    return runEngineCode(() => {
      try {
        return answerSync(op, argsJson, this.#scope);
      } catch (error) {
        if (error instanceof EngineError && error.kind === "developer") throw new Error(error.message);
        throw this.#break(error);
      }
    });
  }

  asyncSyscall(op: string, argsJson: string): Promise<string> {
    return this.#inTurn(() => this.#answer(op, argsJson));
  }

  jsSyscall(op: string, args: object): Promise<unknown> {
    return this.#inTurn(() => this.#answerBlobCall(op, args));
  }

  #inTurn<Answer>(answer: () => Promise<Answer>): Promise<Answer> {
    if (this.#ended) return Promise.reject(new Error("This Convex function has already ended."));
    this.#waiting++;
    const answered = runEngineCode(() => this.#last.then(answer)).catch((error: unknown) => {
      throw this.#describe(error);
    });
    this.#last = answered
      .catch(() => undefined)
      .then(() => {
        this.#waiting--;
      });
    return answered;
  }

  async #answer(op: string, argsJson: string): Promise<string> {
    await loadNamed(this.#parts.release, op, argsJson, this.#request.spec.component);
    if (op !== "1.0/runUdf") return answerAsync(op, argsJson, this.#scope);
    return runNested(this.#request, argsJson, (nested) =>
      runLive(this.#parts, {
        ...nested,
        registered: this.#parts.release.registered(nested.spec),
        storesFiles: false,
      }),
    );
  }

  async #answerBlobCall(op: string, args: object): Promise<unknown> {
    const { files } = this.#parts;
    const { transaction, storesFiles, spec } = this.#request;
    if (storesFiles && op === "storage/storeBlob") {
      const { blob } = storeBlobCall.parse(args);
      return files.storeIn(transaction, await toBytes(blob), spec.component);
    }
    if (storesFiles && op === "storage/getBlob") {
      return toBlob(await files.readIn(transaction, readBlobCall.parse(args).storageId, spec.component));
    }
    throw developerError("UnknownOperation", `Unknown operation ${op}`);
  }

  #describe(error: unknown): Error {
    try {
      return syscallError(failedCall(error));
    } catch (unexpected) {
      return this.#break(unexpected);
    }
  }

  #break(error: unknown): Error {
    this.#broken ??= { error };
    return new Error("Internal error");
  }
}
