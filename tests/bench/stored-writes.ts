import path from "node:path";
import { openSqlite, type SqlRow } from "../../engine/storage/driver";

/** What one webhook leaves on disk: the documents as text, and how many index entries come and go. */
export type StoredWrites = {
  inserted: string[];
  updated: string[];
  entriesAdded: number;
  entriesRemoved: number;
};

type Contents = { docs: ReadonlyMap<string, string>; entries: ReadonlySet<string> };

/** All documents and index entries of the app's own tables; the engine that owns them must have ended. */
export function readContents(dataDir: string): Contents {
  const sqlite = openSqlite(path.join(dataDir, "engine.sqlite3"));
  try {
    const own = "SELECT tid FROM tables WHERE component = '' AND name NOT LIKE '\\_%' ESCAPE '\\'";
    const docs = sqlite.prepare(`SELECT id, val FROM docs WHERE tid IN (${own})`).all();
    const entries = sqlite
      .prepare(
        `SELECT xid, hex(key) AS key FROM idx WHERE xid IN (SELECT xid FROM indexes WHERE tid IN (${own}))`,
      )
      .all();
    return {
      docs: new Map(docs.map((row) => [text(row, "id"), text(row, "val")])),
      entries: new Set(entries.map((row) => `${text(row, "xid")} ${text(row, "key")}`)),
    };
  } finally {
    sqlite.close();
  }
}

export function writesBetween(before: Contents, after: Contents): StoredWrites {
  const changed = [...after.docs].filter(([id, value]) => before.docs.get(id) !== value);
  const added = [...after.entries].filter((entry) => !before.entries.has(entry));
  const removed = [...before.entries].filter((entry) => !after.entries.has(entry));
  return {
    inserted: changed.filter(([id]) => !before.docs.has(id)).map(([, value]) => value),
    updated: changed.filter(([id]) => before.docs.has(id)).map(([, value]) => value),
    entriesAdded: added.length,
    entriesRemoved: removed.length,
  };
}

const text = (row: SqlRow, column: string): string => String(row[column]);
