import { createReadStream, type ReadStream } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../clock";
import { developerError } from "../errors";
import { isMissing } from "../files/blobs";
import type { FileStore } from "../files/file-store";
import type { Database } from "../types";
import { encodeInt64 } from "../values/encoded";
import { writeExport } from "./export-writer";
import { failureText, JobRows } from "./job-rows";
import { writeZipFile } from "./zip-writer";

export type ExportsOptions = {
  database: Database;
  files: FileStore;
  clock: Clock;
  /** Where the ZIP of the newest export lies until the next one. */
  folder: string;
  log: (line: string) => void;
};

export type ExportZip = { readonly fileName: string; readonly size: number; open(): ReadStream };

/**
 * Snapshot exports, one at a time: the CLI asks for one, watches its row in `_exports`, and fetches the ZIP. Only the
 * newest ZIP is kept.
 */
export class Exports {
  readonly #options: ExportsOptions;
  readonly #rows: JobRows;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: ExportsOptions) {
    this.#options = options;
    this.#rows = new JobRows(options.database, "_exports");
  }

  /** Clears up after a process that ended in the middle. */
  async open(): Promise<void> {
    const { folder } = this.#options;
    await mkdir(folder, { recursive: true });
    for (const row of this.#rows.list()) {
      if (row["state"] !== "completed" && row["state"] !== "failed") {
        await this.#rows.patch(row._id, { state: "failed" });
      }
    }
    await this.#removeAllBut(this.#newestFile());
  }

  /** Begins an export. Throws "developer" `ExportInProgress` while another one runs. */
  async request(options: { includesFiles: boolean }): Promise<void> {
    if (this.#running !== null) {
      throw developerError("ExportInProgress", "There is already an export requested or in progress.");
    }
    let finished = () => {};
    this.#running = new Promise<void>((resolve) => {
      finished = resolve;
    });
    const end = () => {
      this.#running = null;
      finished();
    };
    try {
      const id = await this.#rows.insert({
        state: "requested",
        requestor: "snapshotExport",
        format: { format: "zip", include_storage: options.includesFiles },
      });
      void this.#run(id, options.includesFiles).finally(end);
    } catch (error) {
      end();
      throw error;
    }
  }

  /** The ZIP of the export that began at `ts`; null where there is none, or not any more. */
  async zip(ts: string): Promise<ExportZip | null> {
    if (!/^\d{1,20}$/.test(ts)) {
      return null;
    }
    const file = path.join(this.#options.folder, `${ts}.zip`);
    try {
      const { size } = await stat(file);
      return { fileName: `snapshot_${ts}.zip`, size, open: () => createReadStream(file) };
    } catch (error) {
      if (isMissing(error)) {
        return null;
      }
      throw error;
    }
  }

  /** Gives up what runs; its row says so at the next start. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(id: string, includesFiles: boolean): Promise<void> {
    const { database, files, clock, folder, log } = this.#options;
    const releaseBytes = files.holdBytes();
    const snapshot = database.hold();
    const file = `${snapshot.ts}.zip`;
    const startedMs = clock.nowMs();
    try {
      await this.#rows.patch(id, { state: "in_progress", start_ts: encodeInt64(snapshot.ts) });
      const stopping = this.#stopping.signal;
      await writeZipFile(path.join(folder, file), startedMs, (zip) =>
        writeExport(zip, { snapshot, blobs: files.blobs, includesFiles, stopping }),
      );
      await this.#removeAllBut(file);
      await this.#rows.patch(id, {
        state: "completed",
        zip_object_key: file,
        complete_ts: encodeInt64(database.latestTs),
      });
      log(`Exported a snapshot in ${Math.round((clock.nowMs() - startedMs) / 1000)} s.`);
    } catch (error) {
      const reason = failureText(error, log);
      log(`The export failed: ${reason}`);
      if (!this.#stopping.signal.aborted) {
        await this.#rows
          .patch(id, { state: "failed", error_message: reason })
          .catch((failure: unknown) => log(`The failed export could not be noted: ${String(failure)}`));
      }
    } finally {
      snapshot.close();
      releaseBytes();
    }
  }

  #newestFile(): string | null {
    const row = this.#rows.list().find((job) => job["state"] === "completed");
    return typeof row?.["zip_object_key"] === "string" ? row["zip_object_key"] : null;
  }

  async #removeAllBut(file: string | null): Promise<void> {
    const { folder } = this.#options;
    for (const name of await readdir(folder)) {
      if (name !== file) {
        await rm(path.join(folder, name), { force: true });
      }
    }
  }
}
