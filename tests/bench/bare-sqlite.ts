import { randomBytes } from "node:crypto";
import path from "node:path";
import { openSqlite } from "../../engine/storage/driver";
import { migrate } from "../../engine/storage/layout";
import { groupCommit } from "./group-commit";

type Row = { group: string; n: number; text: string };

/** The yardstick: SQLite alone, through the engine's driver, doing the writes that one insert of the engine does. */
export type BareSqlite = {
  /** Resolves once the row and its index entries are on disk. */
  insert(row: Row): Promise<void>;
  version: string;
  close(): void;
};

export function openBareSqlite(folder: string): BareSqlite {
  const file = path.join(folder, "bare.sqlite3");
  const sqlite = openSqlite(file);
  sqlite.exec(`
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -65536;
  `);
  migrate(sqlite, file);
  const insertDoc = sqlite.prepare("INSERT INTO docs (rid, tid, id, size, val) VALUES (?, ?, ?, ?, ?)");
  const insertEntry = sqlite.prepare("INSERT INTO idx (xid, key, rid) VALUES (?, ?, ?)");
  let rid = 1;

  const write = (row: Row) => {
    const id = randomBytes(18).toString("hex").slice(0, 32);
    const creationTime = Date.now() + rid / 1e6;
    const text = JSON.stringify({ ...row, _id: id, _creationTime: creationTime });
    insertDoc.run(rid, 1, id, text.length, text);
    // by_creation_time and by_group_and_n, with keys as long as the engine's.
    insertEntry.run(1, Buffer.from(`${creationTime}${id}`), rid);
    insertEntry.run(
      2,
      Buffer.from(`${row.group}\0${String(row.n).padStart(9, "0")}${creationTime}${id}`),
      rid,
    );
    rid++;
  };

  return {
    insert: groupCommit(sqlite, write),
    version: String(sqlite.prepare("SELECT sqlite_version() AS version").get()?.["version"]),
    close: () => sqlite.close(),
  };
}
