import { workerData } from "node:worker_threads";
import { openConnection } from "./connection";
import type { SqliteStatement } from "./driver";
import { Store } from "./store";
import {
  ANSWERS,
  type ToWriter,
  WORDS,
  type WriterAnswer,
  type WriterError,
  type WriterSetup,
} from "./writer-messages";

/**
 * The thread of `ThreadWriter`: writes batches, one after the other, on a connection of its own. Started as bundled
 * text, see `bundle.ts`.
 */
const setup: WriterSetup = workerData;
const { port, signal } = setup;

type Opened = {
  readonly store: Store;
  readonly logPages: SqliteStatement;
  readonly moveLog: SqliteStatement;
};
/** Opened by the first batch, so that a failure has somebody to be told to. */
let opened: Opened | null = null;

function open(): Opened {
  const sqlite = openConnection(setup);
  // The log is moved when no reader stands in the way, which only the other thread can know.
  sqlite.exec("PRAGMA wal_autocheckpoint = 0");
  return {
    store: new Store(sqlite, () => undefined),
    logPages: sqlite.prepare("PRAGMA wal_checkpoint(NOOP)"),
    moveLog: sqlite.prepare("PRAGMA wal_checkpoint(PASSIVE)"),
  };
}

port.on("message", (message: ToWriter) => {
  switch (message.kind) {
    case "write":
      write(message);
      return;
    case "moveLog":
      // Where it fails, nothing is lost, and it is asked for again after the next batch.
      attempt(() => opened?.moveLog.get());
      answer({ kind: "moved" });
      return;
    case "close":
      port.close();
  }
});

function write({ batch, pauses }: Extract<ToWriter, { kind: "write" }>): void {
  const error = attempt(() => {
    opened ??= open();
    opened.store.apply(batch, pauses ? pause : undefined);
  });
  const logPages = Number(opened?.logPages.get()?.["log"] ?? 0);
  answer({ kind: "done", error, logPages });
}

function attempt(run: () => void): WriterError | null {
  try {
    run();
    return null;
  } catch (thrown) {
    return toWriterError(thrown);
  }
}

/** Waits inside the SQLite transaction for the word to commit. */
function pause(): void {
  const words = Atomics.load(signal, WORDS);
  answer({ kind: "written" });
  Atomics.wait(signal, WORDS, words);
}

function answer(message: WriterAnswer): void {
  port.postMessage(message);
  Atomics.add(signal, ANSWERS, 1);
  Atomics.notify(signal, ANSWERS);
}

function toWriterError(thrown: unknown): WriterError {
  const code: unknown = thrown instanceof Error && "errcode" in thrown ? thrown.errcode : null;
  return {
    message: thrown instanceof Error ? thrown.message : String(thrown),
    errcode: typeof code === "number" ? code : null,
  };
}
