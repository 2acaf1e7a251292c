import { openSqlite } from "./driver";

/**
 * Locks `file` for this process in a way that ends with the process, however it ends; creates it where it is missing.
 * Node has no file locks, so SQLite's are used: the file is an empty database in an exclusive transaction.
 *
 * @returns what unlocks it
 * Throws SQLite's "busy" where another process, or another part of this one, holds the lock.
 */
export function lockFile(file: string): () => void {
  const sqlite = openSqlite(file);
  try {
    sqlite.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (error) {
    sqlite.close();
    throw error;
  }
  return () => {
    sqlite.exec("ROLLBACK");
    sqlite.close();
  };
}
