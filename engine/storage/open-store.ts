import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import path from "node:path";
import { EngineError } from "../errors";
import { BatchWriter } from "./batch-writer";
import { logDamage } from "./check-log";
import { type ConnectionOptions, openConnection } from "./connection";
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

/**
 * Opens the store of a data directory, creating both where they are missing. Where there is a disk to wait for, that is
 * with `fsync`, commits are written by a thread; without, on the connection that reads.
 * Throws EngineError: `DataDirectoryInUse`, `DatabaseDamaged`, `DatabaseForeign`, `DatabaseTooNew`,
 * `DataDirectoryUnusable`. A damaged file is left as it is.
 */
export function openStore(options: StoreOptions): Store {
  const { dataDir } = options;
  if (dataDir === null) return openInMemory(options);
  const file = path.join(dataDir, DATABASE_FILE);
  let unlock: () => void;
  try {
    mkdirSync(dataDir, { recursive: true });
    unlock = lockDirectory(dataDir);
  } catch (error) {
    throw error instanceof EngineError ? error : unusable(dataDir, error);
  }
  let sqlite: Sqlite | null = null;
  try {
    checkMagic(file);
    checkLog(file);
    checkPages(file);
    const setup = connectionOf(file, options);
    sqlite = openConnection(setup);
    migrate(sqlite, file);
    const store = new Store(sqlite, unlock);
    if (options.fsync !== "off") {
      store.writeWith(new BatchWriter({ setup, refresh: () => store.refresh() }), () =>
        openConnection(setup),
      );
    }
    return store;
  } catch (error) {
    sqlite?.close();
    unlock();
    throw explain(error, dataDir, file);
  }
}

function openInMemory(options: StoreOptions): Store {
  const sqlite = openConnection(connectionOf(IN_MEMORY, options));
  migrate(sqlite, IN_MEMORY);
  return new Store(sqlite, () => undefined);
}

const connectionOf = (file: string, { fsync, pagesMax }: StoreOptions): ConnectionOptions => ({
  file,
  fsync,
  pagesMax: pagesMax ?? null,
});

/** Looks through a small file before anything is changed in it. */
function checkPages(file: string): void {
  if (!existsSync(file) || statSync(file).size > CHECKED_AT_START_BYTES_MAX) {
    return;
  }
  const sqlite = openSqlite(file);
  try {
    const verdict = sqlite.prepare("PRAGMA quick_check(1)").get();
    if (verdict?.["quick_check"] !== "ok") {
      throw damaged(file, String(verdict?.["quick_check"]));
    }
  } finally {
    sqlite.close();
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

/** To be done before SQLite opens the file: it would forget what stands behind the damage. */
function checkLog(file: string): void {
  const log = `${file}-wal`;
  const damage = logDamage(log);
  if (damage !== null) {
    throw damaged(log, damage);
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
