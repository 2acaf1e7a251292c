import { setImmediate } from "node:timers";
import vm from "node:vm";
import { isMainThread } from "node:worker_threads";
import { ThreadGuard } from "./thread-guard";

/** A stretch of code that must not run for ever. */
export type Guarded = {
  readonly limitMs: number;
  /** May be cut off at any place, without `finally`. */
  run(): void;
  /** Called when `run` is over, whichever way. */
  ended(struck: boolean): void;
};

export interface Guard {
  /** Calls `prepare` in one of the next turns of the event loop, and runs what it answers. */
  soon(prepare: () => Guarded): void;
}

let threadGuard: ThreadGuard | undefined;

/** The guard of this thread. V8's inspector reaches the main thread alone; elsewhere `vm` has to do. */
export function guardOfThisThread(): Guard {
  if (!isMainThread) return new TimeoutGuard();
  threadGuard ??= new ThreadGuard();
  return threadGuard;
}

/** `vm` starts a thread for each stretch of code that it times. */
export class TimeoutGuard implements Guard {
  readonly #context: vm.Context;
  readonly #script = new vm.Script("run()");
  #run: () => void = () => undefined;

  constructor() {
    const run = () => this.#run();
    this.#context = vm.createContext(Object.assign(Object.create(null), { run }), {
      microtaskMode: "afterEvaluate",
    });
  }

  soon(prepare: () => Guarded): void {
    setImmediate(() => {
      const guarded = prepare();
      this.#run = () => guarded.run();
      guarded.ended(!this.#isOverIn(guarded.limitMs));
    });
  }

  #isOverIn(limitMs: number): boolean {
    try {
      this.#script.runInContext(this.#context, { timeout: Math.ceil(limitMs) });
      return true;
    } catch (error) {
      if (isTimeout(error)) return false;
      throw error;
    }
  }
}

const isTimeout = (error: unknown): boolean =>
  typeof error === "object" &&
  error !== null &&
  Reflect.get(error, "code") === "ERR_SCRIPT_EXECUTION_TIMEOUT";
