import { openSqlite, type Sqlite } from "./driver";

export type ConnectionOptions = {
  readonly file: string;
  readonly fsync: "full" | "normal" | "off";
  /** Bounds the file, in pages of 4 KiB; null for no bound. */
  readonly pagesMax: number | null;
};

/** Page cache of one connection. Negative values of the pragma count KiB. */
const CACHE_KIB = 32 * 1024;
/** Pages in the write-ahead log before they are moved into the file: fewer pauses than SQLite's default of 1,000. */
export const LOG_PAGES_BEFORE_MOVE = 4000;
/** The log is cut back to this size after a burst. */
const LOG_BYTES_KEPT = 64 * 1024 * 1024;
/** The engine's own connections never meet; somebody who looks into the file with a tool of SQLite's is waited for. */
const BUSY_MS_MAX = 1000;

/**
 * Opens the database as the engine uses it. Who may open it is settled by the directory's lock: SQLite lets any process
 * in, so that the engine itself can read on one connection and write on another.
 */
export function openConnection({ file, fsync, pagesMax }: ConnectionOptions): Sqlite {
  const sqlite = openSqlite(file);
  try {
    sqlite.exec(`
      PRAGMA busy_timeout = ${BUSY_MS_MAX};
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${fsync.toUpperCase()};
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA wal_autocheckpoint = ${LOG_PAGES_BEFORE_MOVE};
      PRAGMA journal_size_limit = ${LOG_BYTES_KEPT};
      PRAGMA temp_store = MEMORY;
    `);
    if (pagesMax !== null) {
      sqlite.exec(`PRAGMA max_page_count = ${pagesMax}`);
    }
    return sqlite;
  } catch (error) {
    sqlite.close();
    throw error;
  }
}
