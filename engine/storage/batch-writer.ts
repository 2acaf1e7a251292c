import { EngineError } from "../errors";
import { LOG_PAGES_BEFORE_MOVE } from "./connection";
import type { Batch } from "./store";
import { WriterHost } from "./writer-host";
import type { WriterAnswer, WriterError, WriterSetup } from "./writer-messages";

/** What becomes of a batch. */
export type BatchListener = {
  /** The rows are written, SQLite's COMMIT is not begun. */
  written?: () => void;
  /** Called once. Null: the batch is on disk; otherwise nothing of it is. */
  done(error: unknown): void;
};

/** How long the process may stand still for a disk that does not answer. */
const SETTLE_MS_MAX = 60_000;
const WAIT_MS = 1000;

export type BatchWriterParts = {
  readonly setup: Omit<WriterSetup, "port" | "signal" | "requireFrom">;
  /** Lets readers see the newest state on disk. */
  refresh(): void;
};

/**
 * Writes batches in a thread of its own, one at a time: the event loop goes on while the disk works, and what is
 * accepted meanwhile shares the next fsync.
 *
 * Readers see the state that they were shown by `refresh`, in a long SQLite transaction, so that they see a batch when
 * it is published and not before. The log can only be moved into the file and begun again while no reader holds on to
 * a part of it that is still needed: between two batches, with a `refresh` after it.
 */
export class BatchWriter {
  readonly #parts: BatchWriterParts;
  #host: WriterHost | null = null;
  #underWay: { readonly batch: Batch; readonly listener: BatchListener } | null = null;
  #isMovingLog = false;

  constructor(parts: BatchWriterParts) {
    this.#parts = parts;
  }

  /** Starts the thread, if it does not run yet: some 50 ms that the first commit need not wait for. */
  start(): void {
    const { setup } = this.#parts;
    this.#host ??= new WriterHost({ ...setup, requireFrom: import.meta.filename }, (answer) =>
      this.#hear(answer),
    );
  }

  /** Not to be called again before `done` was. */
  write(batch: Batch, listener: BatchListener): void {
    this.start();
    this.#underWay = { batch, listener };
    if (!this.#isMovingLog) {
      this.#send(batch, listener);
    }
  }

  /** Returns when nothing is being written; listeners have been called by then. */
  settle(): void {
    const deadlineMs = performance.now() + SETTLE_MS_MAX;
    while (this.#host !== null && (this.#underWay !== null || this.#isMovingLog)) {
      this.#host.wait(WAIT_MS);
      if (performance.now() > deadlineMs) {
        throw new EngineError("overloaded", "StorageUnavailable", "The disk does not take a write.");
      }
    }
  }

  /** Resolves when the thread's connection is closed. */
  async close(): Promise<void> {
    this.settle();
    await this.#host?.close();
    this.#host = null;
  }

  #send(batch: Batch, listener: BatchListener): void {
    this.#host?.isBusy(true);
    this.#host?.post({ kind: "write", batch, pauses: listener.written !== undefined });
  }

  #hear(answer: WriterAnswer): void {
    switch (answer.kind) {
      case "written":
        this.#underWay?.listener.written?.();
        this.#host?.letCommit();
        return;
      case "done":
        this.#end(answer.error === null ? null : toError(answer.error), answer.logPages);
        return;
      case "moved":
        this.#isMovingLog = false;
        this.#host?.isBusy(false);
        this.#parts.refresh();
        if (this.#underWay !== null) {
          this.#send(this.#underWay.batch, this.#underWay.listener);
        }
    }
  }

  #end(error: unknown, logPages: number): void {
    const ended = this.#underWay;
    this.#underWay = null;
    this.#parts.refresh();
    if (logPages >= LOG_PAGES_BEFORE_MOVE) {
      this.#isMovingLog = true;
      this.#host?.post({ kind: "moveLog" });
    } else {
      this.#host?.isBusy(false);
    }
    ended?.listener.done(error);
  }
}

const toError = ({ message, errcode }: WriterError): Error =>
  errcode === null ? new Error(message) : Object.assign(new Error(message), { errcode });
