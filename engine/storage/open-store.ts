import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import path from "node:path";
import { EngineError } from "../errors";
import { directoryInUse, lockDirectory } from "./directory-lock";
import { openSqlite, type Sqlite, sqliteFailure } from "./driver";
import { migrate } from "./layout";
import { Store } from "./store";

export type StoreOptions = {
  /** Null keeps everything in memory, for as long as the process lives: what tests of functions need. */
  dataDir: string | null;
  fsync: "full" | "normal" | "off";
  /** Bounds the file, in pages of 4 KiB: how a test runs out of disk. */
  pagesMax?: number;
};

/** SQLite's name for a database without a file (https://sqlite.org/inmemorydb.html). */
const IN_MEMORY = ":memory:";
export const DATABASE_FILE = "engine.sqlite3";
/** The first bytes of every SQLite file (https://sqlite.org/fileformat.html, 1.3). */
const SQLITE_MAGIC = "SQLite format 3\0";
/** Files up to this size are checked wholly at start: about 0.1 s. Larger ones tell of damage when it is read. */
const CHECKED_AT_START_BYTES_MAX = 16 * 1024 * 1024;
/** Page cache. Negative values of the pragma count KiB. */
const CACHE_KIB = 64 * 1024;
/** Pages in the write-ahead log before SQLite moves them into the file: fewer pauses than its default of 1,000. */
const WAL_PAGES_BEFORE_CHECKPOINT = 4000;
/** The log is cut back to this size after a burst. */
const WAL_BYTES_KEPT = 64 * 1024 * 1024;

/**
 * Opens the store of a data directory, creating both where they are missing.
 * Throws EngineError: `DataDirectoryInUse`, `DatabaseDamaged`, `DatabaseForeign`, `DatabaseTooNew`,
 * `DataDirectoryUnusable`. A damaged file is left as it is.
 */
export function openStore(options: StoreOptions): Store {
  const { dataDir } = options;
  if (dataDir === null) return openInMemory(options);
  const file = path.join(dataDir, DATABASE_FILE);
  try {
    mkdirSync(dataDir, { recursive: true });
  } catch (error) {
    throw unusable(dataDir, error);
  }
  const unlock = lockDirectory(dataDir);
  let sqlite: Sqlite | null = null;
  try {
    checkMagic(file);
    sqlite = openSqlite(file);
    configure(sqlite, file, options);
    return new Store(sqlite, unlock);
  } catch (error) {
    sqlite?.close();
    unlock();
    throw explain(error, dataDir, file);
  }
}

function openInMemory(options: StoreOptions): Store {
  const sqlite = openSqlite(IN_MEMORY);
  configure(sqlite, null, options);
  return new Store(sqlite, () => undefined);
}

/** @param file null for a database in memory: there is nothing to check */
function configure(sqlite: Sqlite, file: string | null, options: StoreOptions): void {
  const isSmall = file !== null && statSync(file).size <= CHECKED_AT_START_BYTES_MAX;
  // The lock is taken by the first access and kept until the file is closed.
  sqlite.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; COMMIT");
  if (isSmall) {
    const verdict = sqlite.prepare("PRAGMA quick_check(1)").get();
    if (verdict?.["quick_check"] !== "ok") {
      throw damaged(file, String(verdict?.["quick_check"]));
    }
  }
  sqlite.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${options.fsync.toUpperCase()};
    PRAGMA cache_size = -${CACHE_KIB};
    PRAGMA wal_autocheckpoint = ${WAL_PAGES_BEFORE_CHECKPOINT};
    PRAGMA journal_size_limit = ${WAL_BYTES_KEPT};
    PRAGMA temp_store = MEMORY;
  `);
  migrate(sqlite, file ?? IN_MEMORY);
  if (options.pagesMax !== undefined) {
    sqlite.exec(`PRAGMA max_page_count = ${options.pagesMax}`);
  }
}

function checkMagic(file: string): void {
  if (!existsSync(file) || statSync(file).size === 0) {
    return;
  }
  const bytes = Buffer.alloc(SQLITE_MAGIC.length);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, bytes, 0, bytes.length, 0);
  } finally {
    closeSync(descriptor);
  }
  if (bytes.toString("latin1") !== SQLITE_MAGIC) {
    throw damaged(file, "it does not begin as a database does");
  }
}

function explain(error: unknown, dataDir: string, file: string): unknown {
  if (error instanceof EngineError) {
    return error;
  }
  const reason = error instanceof Error ? error.message : String(error);
  switch (sqliteFailure(error)) {
    case "corrupt":
      return damaged(file, reason);
    case "busy":
      return directoryInUse(dataDir, null);
    default:
      return unusable(dataDir, error);
  }
}

const damaged = (file: string, reason: string) =>
  new EngineError(
    "internal",
    "DatabaseDamaged",
    `The database ${file} is damaged (${reason}) and was left as it is: restore a backup, or move it away to start empty.`,
  );

const unusable = (dataDir: string, cause: unknown) =>
  new EngineError(
    "internal",
    "DataDirectoryUnusable",
    `The data directory ${dataDir} cannot be used (${cause instanceof Error ? cause.message : String(cause)}): check that it may be written to.`,
    { cause },
  );
