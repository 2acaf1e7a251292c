import { setImmediate as nextTurn } from "node:timers/promises";
import type { Faults } from "../faults";
import { documentTerms } from "../search/document-terms";
import type { Store, StoredEntry } from "../storage/store";
import { afterKey, type Key } from "../values/key";
import { type Committer, overloaded } from "./committer";
import { parseStored } from "./document";
import { type AnyIndex, entryKey, LOOSE_INDEXES_META, type TableInfo } from "./table";

/** Rows that enter an index without giving others a turn: some milliseconds. Fewer where rows are large. */
const ROWS_PER_TURN = 200;
const CHARS_PER_TURN = 512 * 1024;
/** Entries of a dropped index that are deleted in one turn. */
const ENTRIES_PER_TURN = 500;

export type BuilderParts = {
  readonly store: Store;
  readonly committer: Committer;
  readonly faults: Faults | null;
};

/**
 * Enters rows that are there already into new indexes, and takes the entries of dropped ones away, in small steps
 * between which everything else goes on. A step and the note of how far it came are one SQLite transaction, so that a
 * build goes on where a crash cut it off.
 */
export class IndexBuilder {
  readonly #parts: BuilderParts;
  readonly #running = new Map<number, Promise<void>>();
  #sweep: Promise<void> | null = null;

  constructor(parts: BuilderParts) {
    this.#parts = parts;
  }

  /** Resolves when the index is complete, or gone. Commits have to keep it from now on. */
  build(table: TableInfo, index: AnyIndex): Promise<void> {
    let running = this.#running.get(index.xid);
    if (running === undefined) {
      running = this.#build(table, index).finally(() => this.#running.delete(index.xid));
      this.#running.set(index.xid, running);
    }
    return running;
  }

  /** Deletes what dropped indexes left, in the background. */
  sweep(): Promise<void> {
    this.#sweep ??= this.#sweepAll().finally(() => {
      this.#sweep = null;
    });
    return this.#sweep;
  }

  async #build(table: TableInfo, index: AnyIndex): Promise<void> {
    let rowsPerTurn = ROWS_PER_TURN;
    for (;;) {
      if (this.#parts.committer.isClosed) {
        throw overloaded("it is shutting down");
      }
      const builtTo = this.#parts.store.builtTo(index.xid);
      if (builtTo === null || builtTo === undefined) {
        return;
      }
      const chars = this.#step(table, index, builtTo, rowsPerTurn);
      rowsPerTurn =
        chars > CHARS_PER_TURN ? Math.max(1, rowsPerTurn >> 1) : Math.min(ROWS_PER_TURN, rowsPerTurn * 2);
      if (this.#parts.store.builtTo(index.xid) !== null) {
        this.#parts.faults?.at("backfill_half_done", null);
      }
      await nextTurn();
    }
  }

  /** Enters the next rows; answers how many characters of documents were read. */
  #step(table: TableInfo, index: AnyIndex, builtTo: Key, limit: number): number {
    const { store } = this.#parts;
    const start = builtTo === "" ? "" : afterKey(builtTo);
    const rows = store.scan(table.byCreationTime.xid, { start, end: null }, "asc", limit);
    const last = rows.at(-1);
    const next = rows.length < limit || last === undefined ? null : last.key;
    store.atomically(() => {
      for (const row of rows) {
        this.#enter(index, row);
      }
      store.setBuiltTo(index.xid, next);
    });
    return rows.reduce((sum, row) => sum + row.text.length, 0);
  }

  #enter(index: AnyIndex, row: StoredEntry): void {
    const { store } = this.#parts;
    const document = parseStored(row.text);
    if (index.kind === "db") {
      store.replaceEntry(index.xid, entryKey(index, document, row.key), row.rid);
      return;
    }
    const terms = documentTerms(index, document);
    if (terms !== null) {
      store.putSearch(index.xid, row.rid, terms);
    }
  }

  async #sweepAll(): Promise<void> {
    const { store, committer } = this.#parts;
    for (;;) {
      const [xid] = looseIndexes(store);
      if (xid === undefined || committer.isClosed) {
        return;
      }
      const dropped = store.atomically(() => {
        const count = store.dropEntries(xid, ENTRIES_PER_TURN);
        if (count === 0) {
          setLooseIndexes(
            store,
            looseIndexes(store).filter((loose) => loose !== xid),
          );
        }
        return count;
      });
      if (dropped > 0) {
        await nextTurn();
      }
    }
  }
}

/** Takes indexes out of the catalog and leaves their entries to `sweep`; call inside `atomically`. */
export function dropIndexes(store: Store, xids: readonly number[]): void {
  for (const xid of xids) {
    store.removeIndex(xid);
  }
  if (xids.length > 0) {
    setLooseIndexes(store, [...looseIndexes(store), ...xids]);
  }
}

/** Drops the indexes of pushes that were never finished: at start nobody waits for them any more. */
export function dropPendingIndexes(store: Store): void {
  const pending = store.indexes().filter(({ state }) => state === "pending");
  if (pending.length > 0) {
    store.atomically(() =>
      dropIndexes(
        store,
        pending.map(({ xid }) => xid),
      ),
    );
  }
}

/** Dropped indexes whose entries are not yet swept. */
export function looseIndexes(store: Store): number[] {
  const text = store.meta(LOOSE_INDEXES_META) ?? "";
  return text === "" ? [] : text.split(",").map(Number);
}

function setLooseIndexes(store: Store, xids: readonly number[]): void {
  store.setMeta(LOOSE_INDEXES_META, [...new Set(xids)].join(","));
}
