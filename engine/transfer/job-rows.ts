import { EngineError } from "../errors";
import type { Database, JsonObject, JsonValue, SystemRow } from "../types";

/** Jobs that are remembered; what went before is of no use to anybody. */
const JOBS_KEPT = 20;

/**
 * Exports and imports as rows of a system table, newest last, so that the CLI can subscribe to how far they are. Only
 * this process writes them, one change after the other.
 */
export class JobRows {
  readonly #database: Database;
  readonly #table: string;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(database: Database, table: "_exports" | "_snapshot_imports") {
    this.#database = database;
    this.#table = table;
  }

  /** A new job; answers its id. Old ones that are done are forgotten. */
  insert(value: JsonObject): Promise<string> {
    return this.#write((transaction) => {
      const rows = transaction.system.list(this.#table, "by_creation_time", { limit: JOBS_KEPT * 2 });
      for (const row of rows.slice(0, Math.max(0, rows.length + 1 - JOBS_KEPT))) {
        transaction.system.delete(row._id);
      }
      return transaction.system.insert(this.#table, value);
    });
  }

  patch(id: string, value: { [key: string]: JsonValue | undefined }): Promise<void> {
    return this.#write((transaction) => {
      if (transaction.system.get(id) !== null) {
        transaction.system.patch(id, value);
      }
    });
  }

  get(id: string): SystemRow | null {
    return this.#read().system.get(id);
  }

  /** Newest first. */
  list(): SystemRow[] {
    return this.#read().system.list(this.#table, "by_creation_time", { order: "desc", limit: JOBS_KEPT * 2 });
  }

  #read() {
    const { clock } = this.#database;
    return this.#database.begin({ kind: "query", nowMs: clock.nowMs(), unlimited: true });
  }

  #write<Result>(body: (transaction: ReturnType<Database["begin"]>) => Result): Promise<Result> {
    const done = this.#turn.then(async () => {
      const { clock } = this.#database;
      const transaction = this.#database.begin({ kind: "mutation", nowMs: clock.nowMs(), unlimited: true });
      const result = body(transaction);
      await this.#database.commit(transaction);
      return result;
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/** What a job says about its failure; a defect goes to the log as well. */
export function failureText(error: unknown, log: (line: string) => void): string {
  if (error instanceof EngineError && error.kind !== "internal") {
    return error.message;
  }
  log(`A transfer failed: ${error instanceof Error ? error.stack : String(error)}`);
  return "The engine failed. Its log says why.";
}
