import { EngineError } from "../errors";
import { bytesToKey, encodeKey, type Key, keyToBytes } from "../values/key";
import type { BatchListener, BatchWriter } from "./batch-writer";
import type { Sqlite, SqliteStatement, SqlRow, SqlValue } from "./driver";
import { idBounds } from "./id-bounds";
import { ReadView } from "./read-view";
import { SearchReader } from "./search-reader";
import type { DocumentTerms, SearchChange } from "./search-terms";
import { SearchWriter } from "./search-writer";
import {
  type Batch,
  type DocWrite,
  type IndexRow,
  type IndexState,
  type Interval,
  type NewTable,
  type StoredDoc,
  type StoredEntry,
  type TableRow,
  toBytes,
  toDoc,
  toEntry,
  toIndex,
} from "./store-rows";

export type * from "./store-rows";

/**
 * Rows, index entries, the catalog and a few named values on SQLite. Knows neither transactions of functions nor
 * documents' meaning: what it answers is always the newest state on disk.
 */
export class Store {
  readonly #sqlite: Sqlite;
  readonly #unlock: () => void;
  readonly #statements = new Map<string, SqliteStatement>();
  readonly search = new SearchReader((sql) => this.#prepare(sql));
  readonly #searchWriter = new SearchWriter((sql) => this.#prepare(sql));
  /** `IndexRow.builtTo` of every index; replaced, never changed, so that a failed write can be taken back. */
  #builtTo: ReadonlyMap<number, Key | null>;
  /** Inside `atomically`, once a row was inserted. */
  #nextRid: number | null = null;
  #writer: BatchWriter | null = null;
  #view: ReadView | null = null;
  #openReader: (() => Sqlite) | null = null;
  #isClosed = false;

  constructor(sqlite: Sqlite, unlock: () => void) {
    this.#sqlite = sqlite;
    this.#unlock = unlock;
    this.#builtTo = new Map(this.indexes().map(({ xid, builtTo }) => [xid, builtTo]));
  }

  /** Whether a commit waits for the disk. */
  get synchronous(): "full" | "normal" | "off" {
    const level = Number(this.#one("PRAGMA synchronous")?.["synchronous"]);
    return level === 0 ? "off" : level === 1 ? "normal" : "full";
  }

  /**
   * Leaves batches to a writer with a connection of its own. From now on reads show one state until `refresh`.
   * @param openReader opens another connection to the same file
   */
  writeWith(writer: BatchWriter, openReader: () => Sqlite): void {
    this.#writer = writer;
    this.#openReader = openReader;
    this.#view = new ReadView(this.#sqlite);
    this.#view.open();
  }

  /** Gets ready for the first commit. */
  warmUp(): void {
    this.#writer?.start();
  }

  /** Writes a batch; the listener hears what became of it, which reads show by then. One at a time. */
  commit(given: Batch, listener: BatchListener): void {
    const batch = { ...given, docs: given.docs.map((doc) => this.#withoutUnbuilt(doc)) };
    if (this.#writer !== null) {
      const done = (error: unknown) => {
        if (error === null) {
          this.#noteBuilt(batch.tables);
        }
        listener.done(error);
      };
      this.#writer.write(batch, { ...listener, done });
      return;
    }
    let failure: unknown = null;
    try {
      this.apply(batch, listener.written);
    } catch (error) {
      failure = error;
    }
    listener.done(failure);
  }

  /** Waits for the batch that is being written, if there is one. */
  settle(): void {
    this.#writer?.settle();
  }

  /** Writes a batch here and now, as `commit` made it. */
  apply({ tables, docs, mark }: Batch, beforeCommit?: () => void): void {
    this.atomically(() => {
      for (const table of tables) {
        this.createTable(table);
      }
      for (const doc of docs) {
        this.#put(doc);
      }
      this.setMeta(mark.name, mark.value);
      beforeCommit?.();
    });
  }

  /**
   * Runs `body` as one SQLite transaction: on disk when it returns, wholly undone when it throws. For changes outside
   * of the commits of functions; everything else waits meanwhile.
   */
  atomically<Result>(body: () => Result): Result {
    this.settle();
    this.#view?.close();
    this.#nextRid = null;
    const builtBefore = this.#builtTo;
    try {
      return this.#sqlite.transaction(() => {
        const result = body();
        this.#searchWriter.flush();
        return result;
      });
    } catch (error) {
      this.#searchWriter.discard();
      this.#builtTo = builtBefore;
      throw error;
    } finally {
      this.#view?.open();
    }
  }

  /** Lets reads see the newest state on disk. */
  refresh(): void {
    this.#view?.close();
    this.#view?.open();
  }

  /** Copies everything into a new database file, while reads and writes go on; as it is when the copy begins. */
  async copyTo(file: string, onProgress: (done: number, total: number) => void): Promise<void> {
    if (this.#openReader === null) {
      return this.#sqlite.copyTo(file, onProgress);
    }
    // A connection that sees what another one writes would begin its copy again and again.
    const reader = this.#openReader();
    try {
      reader.exec("BEGIN; SELECT 1 FROM meta LIMIT 1");
      await reader.copyTo(file, onProgress);
    } finally {
      reader.exec("COMMIT");
      reader.close();
    }
  }

  /** Reads go on until it resolves, or throw "overloaded". */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writer?.close();
    this.#view?.close();
    this.#sqlite.close();
    this.#unlock();
  }

  // ------------------------------------------------------------- documents

  get(tid: number, id: string): StoredDoc | null {
    const row = this.#one("SELECT rid, size, val FROM docs WHERE tid = ? AND id = ?", tid, id);
    return row === undefined ? null : toDoc(row);
  }

  /** Up to `limit` entries of an index inside `interval`, in the asked order, with their documents. */
  scan(xid: number, interval: Interval, order: "asc" | "desc", limit: number): StoredEntry[] {
    const upper = interval.end === null ? "" : "AND i.key < ?";
    const statement = this.#prepare(
      `SELECT i.key, d.rid, d.size, d.val FROM idx i CROSS JOIN docs d ON d.rid = i.rid
       WHERE i.xid = ? AND i.key >= ? ${upper} ORDER BY i.key ${order} LIMIT ?`,
    );
    const start = keyToBytes(interval.start);
    const rows =
      interval.end === null
        ? statement.all(xid, start, limit)
        : statement.all(xid, start, keyToBytes(interval.end), limit);
    return rows.map((row) => toEntry(row, bytesToKey(toBytes(row["key"]))));
  }

  /** The same for the index by id, which is the table itself. */
  scanIds(tid: number, interval: Interval, order: "asc" | "desc", limit: number): StoredEntry[] {
    const bounds = idBounds(interval);
    if (bounds === null) {
      return [];
    }
    const lower = bounds.lower === null ? "" : `AND id ${bounds.lower.inclusive ? ">=" : ">"} ?`;
    const upper = bounds.upper === null ? "" : `AND id ${bounds.upper.inclusive ? "<=" : "<"} ?`;
    const statement = this.#prepare(
      `SELECT id, rid, size, val FROM docs WHERE tid = ? ${lower} ${upper} ORDER BY id ${order} LIMIT ?`,
    );
    const parameters: SqlValue[] = [tid];
    for (const bound of [bounds.lower, bounds.upper]) {
      if (bound !== null) {
        parameters.push(bound.id);
      }
    }
    return statement.all(...parameters, limit).map((row) => toEntry(row, encodeKey(String(row["id"]))));
  }

  /** Writes one changed document and its index entries; call inside `atomically`. */
  write(change: DocWrite): void {
    this.#put(this.#withoutUnbuilt(change));
  }

  #put(change: DocWrite): void {
    const rid = change.rid === "by_id" ? this.#ridOf(change) : (change.rid ?? this.#takeRid());
    if (change.next === null) {
      this.#prepare("DELETE FROM docs WHERE rid = ?").run(rid);
    } else if (change.rid === null) {
      this.#prepare("INSERT INTO docs (rid, tid, id, size, val) VALUES (?, ?, ?, ?, ?)").run(
        rid,
        change.tid,
        change.id,
        change.next.size,
        change.next.text,
      );
    } else {
      this.#prepare("UPDATE docs SET size = ?, val = ? WHERE rid = ?").run(
        change.next.size,
        change.next.text,
        rid,
      );
    }
    for (const { xid, oldKey, newKey } of change.entries) {
      if (oldKey === newKey) {
        continue;
      }
      if (oldKey !== null) {
        this.removeEntry(xid, oldKey);
      }
      if (newKey !== null) {
        this.putEntry(xid, newKey, rid);
      }
    }
    for (const { xid, old, next } of change.searches) {
      this.#searchWriter.change(xid, rid, old, next);
    }
  }

  /** Takes out what the backfill of a search index has not reached: it is entered when it is. */
  #withoutUnbuilt(change: DocWrite): DocWrite {
    const isBuilt = ({ xid, old, next }: SearchChange) => {
      const builtTo = this.#builtTo.get(xid) ?? null;
      return builtTo === null || timeKey((old ?? next)?.creationTime ?? 0, change.id) <= builtTo;
    };
    return change.searches.every(isBuilt) ? change : { ...change, searches: change.searches.filter(isBuilt) };
  }

  /** Enters a document into a search index that is being built; call inside `atomically`. */
  putSearch(xid: number, rid: number, terms: DocumentTerms): void {
    this.#searchWriter.change(xid, rid, null, terms);
  }

  /** Of a document that an earlier commit wrote, maybe in the same batch. */
  #ridOf({ tid, id }: DocWrite): number {
    const row = this.#one("SELECT rid FROM docs WHERE tid = ? AND id = ?", tid, id);
    if (row === undefined) {
      throw new EngineError("internal", "DatabaseDamaged", `The document ${id} is not in its table.`);
    }
    return Number(row["rid"]);
  }

  #takeRid(): number {
    const rid = this.#nextRid ?? Number(this.#one("SELECT max(rid) AS rid FROM docs")?.["rid"] ?? 0) + 1;
    this.#nextRid = rid + 1;
    return rid;
  }

  putEntry(xid: number, key: Key, rid: number): void {
    this.#prepare("INSERT INTO idx (xid, key, rid) VALUES (?, ?, ?)").run(xid, keyToBytes(key), rid);
  }

  /** Puts an entry that may be there already. */
  replaceEntry(xid: number, key: Key, rid: number): void {
    this.#prepare("INSERT OR REPLACE INTO idx (xid, key, rid) VALUES (?, ?, ?)").run(
      xid,
      keyToBytes(key),
      rid,
    );
  }

  /** Takes an entry out, if it is there. */
  removeEntry(xid: number, key: Key): void {
    this.#prepare("DELETE FROM idx WHERE xid = ? AND key = ?").run(xid, keyToBytes(key));
  }

  /** Rows of a table in order of insertion, after row `afterRid`: how the whole of it is walked. */
  page(tid: number, afterRid: number, limit: number): (StoredDoc & { readonly id: string })[] {
    return this.#prepare("SELECT id, rid, size, val FROM docs WHERE tid = ? AND rid > ? ORDER BY rid LIMIT ?")
      .all(tid, afterRid, limit)
      .map((row) => ({ ...toDoc(row), id: String(row["id"]) }));
  }

  // ---------------------------------------------------------- verification

  /** What SQLite finds wrong with its file, `limit` sentences at most; none for a sound one. */
  integrityProblems(limit: number): string[] {
    return this.#prepare(`PRAGMA integrity_check(${limit})`)
      .all()
      .map((row) => String(row["integrity_check"]))
      .filter((line) => line !== "ok");
  }

  /** The row that an entry of an index points at; null where there is no such entry. */
  entryRid(xid: number, key: Key): number | null {
    const row = this.#one("SELECT rid FROM idx WHERE xid = ? AND key = ?", xid, keyToBytes(key));
    return row === undefined ? null : Number(row["rid"]);
  }

  countEntries(xid: number): number {
    return Number(this.#one("SELECT count(*) AS entries FROM idx WHERE xid = ?", xid)?.["entries"]);
  }

  indexesWithEntries(): number[] {
    return this.#prepare("SELECT DISTINCT xid FROM idx UNION SELECT DISTINCT xid FROM search_blocks")
      .all()
      .map((row) => Number(row["xid"]));
  }

  // --------------------------------------------------------------- catalog

  tables(): TableRow[] {
    return this.#prepare("SELECT tid, component, name, number FROM tables")
      .all()
      .map((row) => ({
        tid: Number(row["tid"]),
        component: String(row["component"]),
        name: String(row["name"]),
        number: Number(row["number"]),
      }));
  }

  indexes(): IndexRow[] {
    return this.#prepare("SELECT xid, tid, name, kind, fields, state, built_to FROM indexes")
      .all()
      .map(toIndex);
  }

  schemas(): { component: string; json: string }[] {
    return this.#prepare("SELECT component, json FROM schemas")
      .all()
      .map((row) => ({ component: String(row["component"]), json: String(row["json"]) }));
  }

  createTable({ table, indexes }: NewTable): void {
    this.addTable(table);
    for (const index of indexes) {
      this.addIndex(index);
    }
  }

  addTable(table: TableRow): void {
    this.#prepare("INSERT INTO tables (tid, component, name, number) VALUES (?, ?, ?, ?)").run(
      table.tid,
      table.component,
      table.name,
      table.number,
    );
  }

  addIndex(index: IndexRow): void {
    this.#prepare(
      "INSERT INTO indexes (xid, tid, name, kind, fields, state, built_to) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ).run(
      index.xid,
      index.tid,
      index.name,
      index.kind,
      index.fields.join(","),
      index.state,
      index.builtTo === null ? null : keyToBytes(index.builtTo),
    );
    this.#builtTo = new Map(this.#builtTo).set(index.xid, index.builtTo);
  }

  /** Another connection added the tables. */
  #noteBuilt(tables: readonly NewTable[]): void {
    if (tables.length > 0) {
      const added = tables.flatMap(({ indexes }) =>
        indexes.map(({ xid, builtTo }) => [xid, builtTo] as const),
      );
      this.#builtTo = new Map([...this.#builtTo, ...added]);
    }
  }

  setIndexState(xid: number, state: IndexState): void {
    this.#prepare("UPDATE indexes SET state = ? WHERE xid = ?").run(state, xid);
  }

  /** How far the backfill of an index is (`IndexRow.builtTo`); undefined where there is no such index. */
  builtTo(xid: number): Key | null | undefined {
    return this.#builtTo.get(xid);
  }

  /** Notes how far a backfill is; call inside the `atomically` that writes the entries. */
  setBuiltTo(xid: number, builtTo: Key | null): void {
    this.#prepare("UPDATE indexes SET built_to = ? WHERE xid = ?").run(
      builtTo === null ? null : keyToBytes(builtTo),
      xid,
    );
    this.#builtTo = new Map(this.#builtTo).set(xid, builtTo);
  }

  /** Takes a table and its indexes out of the catalog; rows and entries stay until they are dropped. */
  removeTable(tid: number): void {
    for (const { xid } of this.indexes().filter((index) => index.tid === tid)) {
      this.removeIndex(xid);
    }
    this.#prepare("DELETE FROM tables WHERE tid = ?").run(tid);
  }

  /** Deletes up to `limit` rows of a table, without their entries; answers how many there were to delete. */
  dropRows(tid: number, limit: number): number {
    return this.#prepare("DELETE FROM docs WHERE rid IN (SELECT rid FROM docs WHERE tid = ? LIMIT ?)").run(
      tid,
      limit,
    );
  }

  /** Takes an index out of the catalog; its entries stay until `dropEntries`. */
  removeIndex(xid: number): void {
    this.#prepare("DELETE FROM indexes WHERE xid = ?").run(xid);
    const builtTo = new Map(this.#builtTo);
    builtTo.delete(xid);
    this.#builtTo = builtTo;
  }

  /** Deletes up to `limit` entries of an index, whatever its kind; answers how many there were to delete. */
  dropEntries(xid: number, limit: number): number {
    let dropped = 0;
    for (const [table, key] of ENTRY_TABLES) {
      if (dropped < limit) {
        dropped += this.#prepare(
          `DELETE FROM ${table} WHERE xid = ?1 AND (${key}) IN (SELECT ${key} FROM ${table} WHERE xid = ?1 LIMIT ?2)`,
        ).run(xid, limit - dropped);
      }
    }
    return dropped;
  }

  setSchema(component: string, json: string | null): void {
    if (json === null) {
      this.#prepare("DELETE FROM schemas WHERE component = ?").run(component);
    } else {
      this.#prepare("INSERT OR REPLACE INTO schemas (component, json) VALUES (?, ?)").run(component, json);
    }
  }

  meta(name: string): string | null {
    const row = this.#one("SELECT value FROM meta WHERE name = ?", name);
    return row === undefined ? null : String(row["value"]);
  }

  setMeta(name: string, value: string): void {
    this.#prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)").run(name, value);
  }

  /** Statements are compiled once; their number is bounded by the spellings in this file. */
  #prepare(sql: string): SqliteStatement {
    if (this.#isClosed) {
      throw new EngineError("overloaded", "StorageClosed", "The engine is shutting down.");
    }
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#sqlite.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #one(sql: string, ...parameters: SqlValue[]): SqlRow | undefined {
    return this.#prepare(sql).get(...parameters);
  }
}

/** Where entries of indexes lie, and what tells them apart beside the index. */
const ENTRY_TABLES = [
  ["idx", "key"],
  ["search_postings", "block, term"],
  ["search_times", "part"],
  ["search_blocks", "block"],
] as const;

/** The key of a document in the index by creation time. */
const timeKey = (creationTime: number, id: string): Key => encodeKey(creationTime) + encodeKey(id);
