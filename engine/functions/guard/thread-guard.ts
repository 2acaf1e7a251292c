import { MessageChannel, Worker } from "node:worker_threads";
import { bundle } from "../../bundle";
import { ASLEEP, CELLS, IDLE, LIMIT_MS, RUNNING, STATE, STRETCH } from "./cells";
import type { Guard, Guarded } from "./guard";

/**
 * Ends code that runs too long by way of V8's inspector, from a thread that looks at the clock. Costs a microsecond
 * per stretch of code; a `vm` timeout starts a thread for each, which takes 70 us, and much longer on a busy machine.
 *
 * V8 then leaves everything that is on the stack, so the stretch has a turn of the event loop for itself: a message to
 * ourselves, because Node forgets the rest of a queue of immediates or timers that is left like this.
 */
export class ThreadGuard implements Guard {
  readonly #cells = new Int32Array(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT));
  readonly #turns = new MessageChannel();
  readonly #waiting: (() => Guarded)[] = [];
  #current: Guarded | null = null;

  constructor() {
    const worker = new Worker(bundle("functions/guard/thread.ts", "node"), {
      eval: true,
      workerData: this.#cells,
      // Flags of the engine's own process (loaders above all) would only make it start slowly.
      execArgv: [],
      name: "guard",
    });
    worker.on("message", () => this.#struck());
    worker.on("error", (error) => {
      throw error;
    });
    worker.on("exit", () => {
      throw new Error("Nobody looks for runaway functions any more.");
    });
    worker.unref();
    this.#turns.port1.on("message", () => this.#turn());
    this.#turns.port1.unref();
  }

  soon(prepare: () => Guarded): void {
    this.#waiting.push(prepare);
    this.#turns.port1.ref();
    this.#turns.port2.postMessage(null);
  }

  #turn(): void {
    const guarded = this.#waiting.shift()?.();
    if (guarded === undefined) {
      return;
    }
    this.#current = guarded;
    this.#begin(guarded.limitMs);
    try {
      guarded.run();
    } finally {
      // The guard has decided to strike, and the blow must land here and not on what comes next.
      while (Atomics.compareExchange(this.#cells, STATE, RUNNING, IDLE) !== RUNNING);
    }
    this.#end(guarded, false);
  }

  #struck(): void {
    Atomics.store(this.#cells, STATE, IDLE);
    if (this.#current !== null) {
      this.#end(this.#current, true);
    }
  }

  #end(guarded: Guarded, struck: boolean): void {
    this.#current = null;
    guarded.ended(struck);
    if (this.#waiting.length === 0) {
      this.#turns.port1.unref();
    }
  }

  #begin(limitMs: number): void {
    const cells = this.#cells;
    Atomics.store(cells, LIMIT_MS, Math.ceil(limitMs));
    Atomics.add(cells, STRETCH, 1);
    Atomics.store(cells, STATE, RUNNING);
    if (Atomics.load(cells, ASLEEP) === 1) {
      Atomics.store(cells, ASLEEP, 0);
      Atomics.notify(cells, ASLEEP);
    }
  }
}
