import { rm } from "node:fs/promises";
import path from "node:path";
import type { Writable } from "node:stream";
import type { Clock } from "../clock";
import { EngineError } from "../errors";
import type { FileStore } from "../files/file-store";
import { ZipWriter } from "../transfer/zip-writer";
import type { Database } from "../types";
import { writeBackup } from "./write-backup";

export type BackupsOptions = {
  database: Database;
  files: FileStore;
  clock: Clock;
  dataDir: string;
  log: (line: string) => void;
};

/** Backups of a running engine, one at a time. */
export class Backups {
  readonly #options: BackupsOptions;
  #running: Promise<void> | null = null;

  constructor(options: BackupsOptions) {
    this.#options = options;
  }

  /** Removes what a process that ended in the middle left. */
  async open(): Promise<void> {
    await rm(path.join(this.#options.dataDir, "transfer", "backup"), { recursive: true, force: true });
  }

  /**
   * Writes a backup to `output`, which is destroyed where that fails. Throws "overloaded" `BackupInProgress`, before
   * `begin` is called, while another one runs.
   */
  async send(output: Writable, begin: () => void): Promise<void> {
    if (this.#running !== null) {
      throw new EngineError(
        "overloaded",
        "BackupInProgress",
        "Another backup is being made. Try again later.",
      );
    }
    begin();
    const sending = this.#send(output);
    this.#running = sending.catch(() => undefined);
    try {
      await sending;
    } finally {
      this.#running = null;
    }
  }

  /** Waits for a backup that runs: the database must not be closed under it. */
  async close(): Promise<void> {
    await this.#running;
  }

  async #send(output: Writable): Promise<void> {
    const { database, files, clock, dataDir, log } = this.#options;
    const releaseBytes = files.holdBytes();
    const zip = new ZipWriter(output, clock.nowMs());
    try {
      await writeBackup(zip, {
        dataDir,
        clock,
        copyDatabase: (file, onProgress) => database.copyTo(file, onProgress),
        openBlob: (name) => files.blobs.open(name),
        say: (line) => log(`Backup: ${line}.`),
      });
      await zip.end();
    } catch (error) {
      await zip.abort();
      throw error;
    } finally {
      releaseBytes();
    }
  }
}
