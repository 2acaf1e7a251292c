import type { Clock } from "../clock";
import { developerError } from "../errors";
import type { FileStore } from "../files/file-store";
import { isJsonObject } from "../json";
import type { ComponentPath, Database, JsonObject } from "../types";
import { encodeInt64 } from "../values/encoded";
import { describePlan, type ImportMode, type ImportPlan, planImport } from "./import-plan";
import { runImport } from "./import-run";
import { type ImportFormat, openImportSource } from "./import-source";
import { failureText, JobRows } from "./job-rows";
import { Uploads } from "./uploads";

/** How often the CLI hears of progress. */
const PROGRESS_EVERY_MS = 500;

export type ImportRequest = { format: ImportFormat; mode: ImportMode; component: ComponentPath };

export type ImportsOptions = {
  database: Database;
  files: FileStore;
  clock: Clock;
  /** Where uploads lie until their import is done. */
  folder: string;
  log: (line: string) => void;
};

type Job = ImportRequest & { readonly upload: string; readonly file: string; plan: ImportPlan | null };

/**
 * Imports of the CLI, one after the other: a file is uploaded, read once to say what it would change, and imported
 * when somebody has confirmed that.
 */
export class Imports {
  readonly uploads: Uploads;
  readonly #options: ImportsOptions;
  readonly #rows: JobRows;
  readonly #jobs = new Map<string, Job>();
  readonly #stopping = new AbortController();
  #turn: Promise<void> = Promise.resolve();

  constructor(options: ImportsOptions) {
    this.#options = options;
    this.uploads = new Uploads(options.folder, options.clock);
    this.#rows = new JobRows(options.database, "_snapshot_imports");
  }

  /** Settles the imports of a process that ended in the middle: each was applied as a whole, or not at all. */
  async open(): Promise<void> {
    await this.uploads.open();
    const applied = this.#options.database.lastApplied();
    for (const row of this.#rows.list()) {
      const { state, planned_rows: planned } = row;
      const name = isJsonObject(state) ? state["state"] : null;
      if (name === "completed" || name === "failed") {
        continue;
      }
      const isDone = row._id === applied;
      await this.#rows.patch(row._id, {
        state: isDone
          ? { state: "completed", num_rows_written: planned ?? encodeInt64(0n) }
          : {
              state: "failed",
              error_message:
                "The engine was restarted before the import was done. Nothing was imported: try again.",
            },
      });
    }
  }

  /** Takes an upload that is complete; answers the import's id. What the file would change is worked out meanwhile. */
  async begin(request: ImportRequest, uploadToken: string, partTokens: readonly string[]): Promise<string> {
    const file = await this.uploads.finish(uploadToken, partTokens);
    const id = await this.#rows.insert({
      state: { state: "uploaded" },
      format: { ...request.format },
      mode: request.mode,
      component_path: request.component,
      requestor: "snapshotImport",
    });
    this.#jobs.set(id, { ...request, upload: uploadToken, file, plan: null });
    this.#inTurn(id, (job) => this.#plan(id, job));
    return id;
  }

  /** Goes on with an import that waits for its confirmation. Throws a developer error where it does not. */
  async confirm(id: string): Promise<void> {
    const state = this.#rows.get(id)?.["state"];
    const isWaiting = isJsonObject(state) && state["state"] === "waiting_for_confirmation";
    if (!isWaiting || !this.#jobs.has(id)) {
      throw developerError("InvalidImport", "There is no import with this id that waits to be confirmed.");
    }
    await this.#rows.patch(id, { state: { state: "in_progress" } });
    this.#inTurn(id, (job) => this.#run(id, job));
  }

  /** Gives up what runs: nothing of it is applied. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#turn;
  }

  #inTurn(id: string, work: (job: Job) => Promise<void>): void {
    this.#turn = this.#turn.then(async () => {
      const job = this.#jobs.get(id);
      if (job === undefined || this.#stopping.signal.aborted) {
        return;
      }
      try {
        await work(job);
      } catch (error) {
        await this.#fail(id, error);
      }
    });
  }

  async #plan(id: string, job: Job): Promise<void> {
    const source = await openImportSource(job.file, job.format, job.component);
    const snapshot = this.#options.database.hold();
    try {
      const plan = await planImport(source, job.mode, snapshot);
      job.plan = plan;
      const { message, needsConfirmation } = describePlan(plan);
      const planned = plan.tables.reduce(
        (sum, { name, added }) => sum + (name.startsWith("_") ? 0 : added),
        0,
      );
      await this.#rows.patch(id, {
        planned_rows: encodeInt64(BigInt(planned)),
        state: {
          state: "waiting_for_confirmation",
          message_to_confirm: message,
          require_manual_confirmation: needsConfirmation,
        },
      });
    } finally {
      snapshot.close();
      source.close();
    }
  }

  async #run(id: string, job: Job): Promise<void> {
    const { clock, log } = this.#options;
    if (job.plan === null) {
      throw developerError("InvalidImport", "The import was not looked at yet.");
    }
    const checkpoints: string[] = [];
    let progressMs = clock.nowMs();
    const report = (more: JsonObject) =>
      this.#rows.patch(id, {
        state: { state: "in_progress", checkpoint_messages: [...checkpoints], ...more },
      });
    const source = await openImportSource(job.file, job.format, job.component);
    try {
      const { rows, ts } = await runImport({
        ...this.#options,
        source,
        plan: job.plan,
        format: job.format.format,
        label: id,
        stopping: this.#stopping.signal,
        progress: async (message) => {
          if (clock.nowMs() - progressMs >= PROGRESS_EVERY_MS) {
            progressMs = clock.nowMs();
            await report({ progress_message: message });
          }
        },
        checkpoint: async (message) => {
          checkpoints.push(message);
          await report({});
        },
      });
      await this.#rows.patch(id, {
        state: { state: "completed", ts: encodeInt64(ts), num_rows_written: encodeInt64(BigInt(rows)) },
      });
      log(`Imported ${rows} documents.`);
      await this.#forget(id);
    } finally {
      source.close();
    }
  }

  async #fail(id: string, error: unknown): Promise<void> {
    const { log } = this.#options;
    const reason = failureText(error, log);
    try {
      await this.#rows.patch(id, {
        state: { state: "failed", error_message: `Hit an error while importing:\n${reason}` },
      });
      await this.#forget(id);
    } catch (failure) {
      log(`A failed import could not be noted: ${String(failure)}`);
    }
  }

  async #forget(id: string): Promise<void> {
    const job = this.#jobs.get(id);
    this.#jobs.delete(id);
    if (job !== undefined) {
      await this.uploads.remove(job.upload);
    }
  }
}
