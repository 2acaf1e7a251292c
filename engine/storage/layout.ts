import { EngineError } from "../errors";
import type { Sqlite } from "./driver";

/** Marks the file as ours ("cvxe"), so that another program's database is never taken for one. */
const APPLICATION_ID = 0x63767865;

/**
 * The tables on disk, one step per released version; never change a step, add one.
 *
 * Only the latest version of a row is stored. `docs.rid` follows the order of insertion, so that new rows touch few
 * pages and index entries point at rows without repeating their ids. `docs.size` is Convex's size of the document,
 * which reads are charged by without parsing it.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE tables (
    tid INTEGER PRIMARY KEY,
    component TEXT NOT NULL,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    UNIQUE (component, name),
    UNIQUE (component, number)
  );
  CREATE TABLE indexes (
    xid INTEGER PRIMARY KEY,
    tid INTEGER NOT NULL,
    name TEXT NOT NULL,
    fields TEXT NOT NULL,
    UNIQUE (tid, name)
  );
  CREATE TABLE schemas (component TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE docs (
    rid INTEGER PRIMARY KEY,
    tid INTEGER NOT NULL,
    id TEXT NOT NULL,
    size INTEGER NOT NULL,
    val TEXT NOT NULL,
    UNIQUE (tid, id)
  );
  CREATE TABLE idx (xid INTEGER NOT NULL, key BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (xid, key)) WITHOUT ROWID;
  `,
  // Search indexes. A word's documents lie in blocks of rows (postings.ts), and a block's words lie side by side, so that
  // new documents touch few pages. An index that is being built or is not yet in force stands beside the one that it
  // will replace, under the same name.
  `
  CREATE TABLE indexes_2 (
    xid INTEGER PRIMARY KEY,
    tid INTEGER NOT NULL,
    name TEXT NOT NULL,
    fields TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    built_to BLOB
  );
  INSERT INTO indexes_2 SELECT xid, tid, name, fields, 'db', 'live', NULL FROM indexes;
  DROP TABLE indexes;
  ALTER TABLE indexes_2 RENAME TO indexes;
  CREATE TABLE search_postings (
    xid INTEGER NOT NULL,
    block INTEGER NOT NULL,
    term BLOB NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (xid, block, term)
  ) WITHOUT ROWID;
  CREATE TABLE search_times (xid INTEGER NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (xid, part))
    WITHOUT ROWID;
  CREATE TABLE search_blocks (
    xid INTEGER NOT NULL,
    block INTEGER NOT NULL,
    docs INTEGER NOT NULL,
    words INTEGER NOT NULL,
    max_time REAL NOT NULL,
    PRIMARY KEY (xid, block)
  ) WITHOUT ROWID;
  `,
];

/**
 * Brings the file to the current layout, in one transaction per step. Throws EngineError `DatabaseForeign` where it
 * belongs to another program and `DatabaseTooNew` where a later version of the engine wrote it.
 */
export function migrate(sqlite: Sqlite, file: string): void {
  const version = pragma(sqlite, "user_version");
  const owner = pragma(sqlite, "application_id");
  const isEmpty = sqlite.prepare("SELECT 1 AS found FROM sqlite_schema LIMIT 1").get() === undefined;
  if (!isEmpty && owner !== APPLICATION_ID) {
    throw new EngineError(
      "internal",
      "DatabaseForeign",
      `The file ${file} is a database of another program: choose another data directory.`,
    );
  }
  if (version > MIGRATIONS.length) {
    throw new EngineError(
      "internal",
      "DatabaseTooNew",
      `The database ${file} was written by a newer version (layout ${version}, this one knows ${MIGRATIONS.length}): update first.`,
    );
  }
  for (let step = version; step < MIGRATIONS.length; step += 1) {
    sqlite.transaction(() => {
      sqlite.exec(MIGRATIONS[step] ?? "");
      sqlite.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${step + 1}`);
    });
  }
}

function pragma(sqlite: Sqlite, name: string): number {
  return Number(sqlite.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}
