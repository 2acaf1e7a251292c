import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { bundle } from "../bundle";
import { ANSWERS, type ToWriter, WORDS, type WriterAnswer, type WriterSetup } from "./writer-messages";

/** The writing thread as the engine sees it. It keeps the process alive only while it `isBusy`. */
export class WriterHost {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #signal = new Int32Array(new SharedArrayBuffer(8));
  readonly #hear: (message: WriterAnswer) => void;
  readonly #exited: Promise<unknown>;

  constructor(setup: Omit<WriterSetup, "port" | "signal">, hear: (message: WriterAnswer) => void) {
    const { port1, port2 } = new MessageChannel();
    const workerData: WriterSetup = { ...setup, port: port2, signal: this.#signal };
    // Text that is evaluated has no place of its own, from which it could find packages.
    const text = `{ const require = process.getBuiltinModule("node:module").createRequire(${JSON.stringify(setup.requireFrom)});
      ${bundle("storage/writer-thread.ts", "node", ["@photostructure/sqlite"])} }`;
    this.#worker = new Worker(text, {
      eval: true,
      workerData,
      transferList: [port2],
      // Flags of the engine's own process (loaders above all) would only make it start slowly.
      execArgv: [],
      name: "storage",
    });
    this.#port = port1;
    this.#hear = hear;
    this.#worker.unref();
    this.#exited = new Promise((resolve) => this.#worker.once("exit", resolve));
    this.#worker.on("error", (error) => {
      // Whether its batch is on disk is not known here; the next start of the process finds out.
      throw error;
    });
    port1.on("message", hear);
    port1.unref();
  }

  post(message: ToWriter): void {
    this.#port.postMessage(message);
  }

  /** Lets a batch that `pauses` be committed. */
  letCommit(): void {
    Atomics.add(this.#signal, WORDS, 1);
    Atomics.notify(this.#signal, WORDS);
  }

  isBusy(busy: boolean): void {
    if (busy) {
      this.#port.ref();
    } else {
      this.#port.unref();
    }
  }

  /** Blocks until the thread has said something that was not heard yet, for `ms` at most; then hears all of it. */
  wait(ms: number): void {
    const heard = Atomics.load(this.#signal, ANSWERS);
    if (!this.#receiveAll()) {
      Atomics.wait(this.#signal, ANSWERS, heard, ms);
      this.#receiveAll();
    }
  }

  /** Resolves when the thread is gone, and its connection with it. */
  async close(): Promise<void> {
    this.#worker.ref();
    this.post({ kind: "close" });
    await this.#exited;
    this.#port.close();
  }

  #receiveAll(): boolean {
    let some = false;
    for (;;) {
      const received: { message: WriterAnswer } | undefined = receiveMessageOnPort(this.#port);
      if (received === undefined) {
        return some;
      }
      some = true;
      this.#hear(received.message);
    }
  }
}
