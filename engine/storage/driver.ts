import { backup, DatabaseSync } from "@photostructure/sqlite";

/**
 * The one door to SQLite (docs/decisions/0005-sqlite-driver.md). Whatever implements it must be synchronous: the engine
 * reads inside a transaction without giving up its turn.
 */
export interface Sqlite {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  /** Runs `body` inside BEGIN IMMEDIATE … COMMIT; rolls back and throws again where it fails. */
  transaction<Result>(body: () => Result): Result;
  /**
   * Copies the database, as it is when the copy ends, into a new file; others go on meanwhile. The file is whole, but
   * not yet synced, when this resolves. Must not be closed before.
   * @param onProgress hears the pages that are done and all of them
   */
  copyTo(file: string, onProgress: (done: number, total: number) => void): Promise<void>;
  close(): void;
}

export interface SqliteStatement {
  /** Answers how many rows changed. */
  run(...parameters: SqlValue[]): number;
  get(...parameters: SqlValue[]): SqlRow | undefined;
  all(...parameters: SqlValue[]): SqlRow[];
}

/** Integers come back as numbers: nothing that is stored exceeds 2^53. */
export type SqlValue = string | number | Uint8Array | null;
export type SqlRow = { readonly [column: string]: SqlValue };

/** Pages of a copy that are read before others may use the connection: a quarter of a megabyte. */
const COPY_PAGES_PER_STEP = 64;

/** Opens or creates the file. Throws what SQLite throws; `sqliteFailure` tells the cases apart. */
export function openSqlite(file: string): Sqlite {
  const database = new DatabaseSync(file);
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      return {
        run: (...parameters) => statement.run(...parameters).changes,
        get: (...parameters) => statement.get(...parameters),
        all: (...parameters) => statement.all(...parameters),
      };
    },
    transaction: (body) => {
      database.exec("BEGIN IMMEDIATE");
      try {
        const result = body();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        // After some failures (disk full) SQLite has rolled back already.
        if (database.isTransaction) {
          database.exec("ROLLBACK");
        }
        throw error;
      }
    },
    copyTo: async (file, onProgress) => {
      await backup(database, file, {
        rate: COPY_PAGES_PER_STEP,
        progress: ({ totalPages, remainingPages }) => onProgress(totalPages - remainingPages, totalPages),
      });
    },
    close: () => {
      try {
        database.exec(RELEASE_FILE);
      } catch {
        // Nothing is lost: what was committed lies in the log, which the next opening reads. A damaged file is
        // better not written to, and a full disk does not take the move.
      }
      database.close();
    },
  };
}

/**
 * Moves the log into the file, if no other connection is open, and gives up all locks. Closing alone would not: the connection lives on until
 * the garbage collector has found every statement, as this driver cannot end statements.
 */
const RELEASE_FILE =
  "PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM sqlite_schema";

/** What a failure means for the caller. Result codes: https://sqlite.org/rescode.html */
export function sqliteFailure(error: unknown): "corrupt" | "busy" | "unavailable" | "other" {
  const code =
    error instanceof Error && "errcode" in error && typeof error.errcode === "number"
      ? error.errcode & 0xff
      : 0;
  switch (code) {
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return "corrupt";
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return "busy";
    case 7: // SQLITE_NOMEM
    case 8: // SQLITE_READONLY
    case 10: // SQLITE_IOERR
    case 13: // SQLITE_FULL
    case 14: // SQLITE_CANTOPEN
      return "unavailable";
    default:
      return "other";
  }
}
