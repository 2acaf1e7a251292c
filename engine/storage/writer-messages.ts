import type { MessagePort } from "node:worker_threads";
import type { ConnectionOptions } from "./connection";
import type { Batch } from "./store";

/** What the writing thread begins with. */
export type WriterSetup = ConnectionOptions & {
  /** A file of the engine: packages are found from there. */
  readonly requireFrom: string;
  readonly port: MessagePort;
  /** Two counters to wait on without an event loop: of the answers, and of the words to commit. */
  readonly signal: Int32Array;
};
/** Places in `signal`. */
export const ANSWERS = 0;
export const WORDS = 1;

export type ToWriter =
  /** `pauses`: says "written" before it commits, and waits for the word. */
  | { readonly kind: "write"; readonly batch: Batch; readonly pauses: boolean }
  /** Moves the write-ahead log into the file. */
  | { readonly kind: "moveLog" }
  | { readonly kind: "close" };

/** An error with the result code of SQLite; classes do not survive the way between threads. */
export type WriterError = { readonly message: string; readonly errcode: number | null };

export type WriterAnswer =
  | { readonly kind: "written" }
  | { readonly kind: "done"; readonly error: WriterError | null; readonly logPages: number }
  | { readonly kind: "moved" };
