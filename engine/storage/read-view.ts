import type { Sqlite, SqliteStatement } from "./driver";

/**
 * What reads of a connection see while another one writes: a SQLite transaction that only reads keeps to one state, for
 * as long as it lasts.
 */
export class ReadView {
  readonly #begin: SqliteStatement;
  readonly #look: SqliteStatement;
  readonly #end: SqliteStatement;
  #isOpen = false;

  constructor(sqlite: Sqlite) {
    this.#begin = sqlite.prepare("BEGIN");
    this.#look = sqlite.prepare("SELECT 1 FROM meta LIMIT 1");
    this.#end = sqlite.prepare("COMMIT");
  }

  /** From here on the newest state on disk is seen. */
  open(): void {
    this.#begin.run();
    this.#isOpen = true;
    // The state is the one at the first read, so there has to be one now.
    this.#look.get();
  }

  close(): void {
    if (this.#isOpen) {
      this.#isOpen = false;
      this.#end.run();
    }
  }
}
