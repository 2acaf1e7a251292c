import { developerError } from "../errors";
import { ActionCalls, type ActionRunEnd } from "../functions/action-calls";
import type { CallContext } from "../functions/call-context";
import { checkArgs, checkResult } from "../functions/check-values";
import { failedCall } from "../functions/failure";
import type { FunctionAddress, FunctionPath } from "../functions/path";
import { type FunctionSpec, isError } from "../functions/release";
import type { RunResult } from "../functions/run-function";
import {
  findFunction,
  type InnerCall,
  TransactionalCalls,
  type TransactionalParts,
} from "../functions/transactional-calls";
import type { FunctionKind, Transaction } from "../types";
import { loadNamed } from "./addresses";
import { readBlobCall, storeBlobCall, toBlob, toBytes } from "./blob-calls";
import { type LiveParts, runLive } from "./live-run";
import { methodOf, runEngineCode, runFunctionCode, type Syscalls, syscallError } from "./syscalls";
import { liveError } from "./thrown";

/** A function that a test wrote in place: it has no path. */
export type InlineFunction = { spec: FunctionSpec; registered: object; storesFiles: boolean };

/** Inline functions by their calls; the engine hands the same call object from begin to end. */
export type InlineCalls = WeakMap<InnerCall, InlineFunction>;

type Found = InlineFunction | { error: Extract<RunResult, { ok: false }>["error"] };

function find(live: LiveParts, inline: InlineCalls, call: InnerCall, kind: FunctionKind): Found {
  const written = inline.get(call);
  if (written !== undefined) return written;
  const spec = findFunction(live.release, call, kind);
  if (isError(spec)) return { error: spec };
  return { spec, registered: live.release.registered(spec), storesFiles: false };
}

/** The engine's queries and mutations, on functions that are objects of the test. */
export class LiveTransactionalCalls extends TransactionalCalls {
  readonly #live: LiveParts;
  readonly #inline: InlineCalls;

  constructor(parts: TransactionalParts, live: LiveParts, inline: InlineCalls) {
    super(parts);
    this.#live = live;
    this.#inline = inline;
  }

  protected override async runIn(
    transaction: Transaction,
    kind: "query" | "mutation",
    call: InnerCall,
    context: CallContext,
  ): Promise<RunResult> {
    const found = find(this.#live, this.#inline, call, kind);
    if ("error" in found) return { ok: false, error: found.error };
    const { release, limits } = this.#live;
    transaction.narrowLimits(limits);
    return runLive(this.#live, { ...found, release, transaction, args: call.args, context, depth: 0 });
  }
}

/** The engine's actions, on functions that are objects of the test. */
export class LiveActionCalls extends ActionCalls {
  readonly #live: LiveParts;
  readonly #inline: InlineCalls;
  readonly #transactional: TransactionalCalls;

  constructor(
    parts: TransactionalParts,
    transactional: TransactionalCalls,
    live: LiveParts,
    inline: InlineCalls,
  ) {
    super(parts, transactional);
    this.#transactional = transactional;
    this.#live = live;
    this.#inline = inline;
  }

  override async run(call: InnerCall): Promise<ActionRunEnd> {
    const context = this.#transactional.context(call);
    return { result: await this.#runFound(call, context), logs: context.logs };
  }

  /** Runs an HTTP action. What it throws is thrown. */
  async http(registered: object, path: FunctionPath, call: InnerCall, request: Request): Promise<Response> {
    const context = this.#transactional.context(call);
    const response = await this.#invoke({ component: "", path }, context, () =>
      methodOf(registered, "invokeHttpAction")(request),
    );
    if (response instanceof Response) return response;
    throw new Error("An HTTP action must return a Response.");
  }

  async #runFound(call: InnerCall, context: CallContext): Promise<RunResult> {
    const found = find(this.#live, this.#inline, call, "action");
    if ("error" in found) return { ok: false, error: found.error };
    const { spec, registered } = found;
    const { catalog } = this.#live;
    const given = checkArgs(spec, call.args, catalog);
    if (!given.ok) return given;
    try {
      const value = await this.#invoke(spec, context, () =>
        methodOf(registered, "invokeAction")(context.requestId, JSON.stringify([call.args])),
      );
      const answer = checkResult(spec, String(value), catalog);
      return answer.ok ? { ok: true, value: String(value) } : answer;
    } catch (thrown) {
      return { ok: false, error: liveError(thrown) };
    }
  }

  #invoke(address: FunctionAddress, context: CallContext, body: () => Promise<unknown>): Promise<unknown> {
    return runFunctionCode(this.#syscalls(address, context), new Map(), body);
  }

  #syscalls(address: FunctionAddress, context: CallContext): Syscalls {
    const { release, files } = this.#live;
    const { component } = address;
    const engine = this.bridge(release, address, context);
    const answer = async (op: string, argsJson: string): Promise<string> => {
      await loadNamed(release, op, argsJson, component);
      return engine.syscall(op, argsJson);
    };
    const answerBlobCall = async (op: string, args: object): Promise<unknown> => {
      if (op === "storage/storeBlob") {
        const { blob, options } = storeBlobCall.parse(args);
        const { sha256 } = options ?? {};
        return files.store({ ...(await toBytes(blob)), ...(sha256 !== undefined && { sha256 }) }, component);
      }
      if (op === "storage/getBlob")
        return toBlob(await files.read(readBlobCall.parse(args).storageId, component));
      throw developerError("UnknownOperation", `Unknown operation ${op}`);
    };
    const failed = (error: unknown): never => {
      throw syscallError(failedCall(error));
    };
    return {
      syscall: (op) => failed(developerError("UnknownOperation", `Unknown operation ${op}`)),
      asyncSyscall: (op, argsJson) => runEngineCode(() => answer(op, argsJson).catch(failed)),
      jsSyscall: (op, args) => runEngineCode(() => answerBlobCall(op, args).catch(failed)),
    };
  }
}
