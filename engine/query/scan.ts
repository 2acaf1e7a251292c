import type { Interval, StoredEntry } from "../storage/store";
import type { Overlay, OverlayEntry } from "../transaction/overlay";
import type { ReadRange, Reads } from "../transaction/read-set";
import type { Snapshot } from "../transaction/snapshot";
import type { IndexInfo, TableInfo } from "../transaction/table";
import type { DocVersion } from "../transaction/write-log";
import { afterKey, idOfKey, type Key } from "../values/key";

/** Rows fetched at first, when nothing says how many will be wanted, and at most. */
const FETCH_ROWS_MIN = 8;
const FETCH_ROWS_MAX = 256;

export type ScanRow = { readonly key: Key; readonly id: string; readonly version: DocVersion };

export type ScanSource = {
  readonly snapshot: Snapshot;
  /** The transaction's own writes to the table; asked anew for each row, as it may come to be. */
  readonly ownWrites: () => Overlay | null;
  readonly reads: Reads;
};

/**
 * Walks an interval of an index row by row: what the snapshot holds, under the transaction's own writes. Only what is
 * really passed enters the read set.
 */
export class IndexScan {
  readonly #source: ScanSource;
  readonly #table: TableInfo;
  readonly #index: IndexInfo;
  readonly #order: "asc" | "desc";
  /** What is still ahead. */
  #ahead: { start: Key; end: Key | null };
  /** What was passed, as the read set knows it. */
  #passed: ReadRange | null = null;
  #page: StoredEntry[] = [];
  #pageAt = 0;
  #fetchRows: number;
  #storeIsDone = false;
  #isDone = false;

  constructor(
    source: ScanSource,
    table: TableInfo,
    index: IndexInfo,
    interval: Interval,
    order: "asc" | "desc",
    rowsExpected: number | null,
  ) {
    this.#source = source;
    this.#table = table;
    this.#index = index;
    this.#order = order;
    this.#ahead = { ...interval };
    this.#fetchRows = Math.min(FETCH_ROWS_MAX, Math.max(1, rowsExpected ?? FETCH_ROWS_MIN));
  }

  next(): ScanRow | null {
    if (this.#isDone) {
      return null;
    }
    const { start, end } = this.#ahead;
    if (end !== null && start >= end) {
      this.#pass(null);
      return null;
    }
    const below = this.#source.snapshot.overlayOf(this.#table);
    const own = this.#source.ownWrites();
    const stored = this.#peekStored(below, own);
    const older = below === null ? null : this.#seekBelow(below, own);
    const written = own === null ? null : own.seek(this.#index.xid, start, end, this.#order);
    const overlaid = this.#earlier(older, written);
    if (stored !== null && (overlaid === null || this.#comesFirst(stored.key, overlaid.key))) {
      this.#pageAt += 1;
      this.#pass(stored.key);
      return { key: stored.key, id: idOfKey(stored.key), version: stored };
    }
    this.#pass(overlaid?.key ?? null);
    return overlaid;
  }

  /** Moves on past `key`, or past everything where there was nothing left. */
  #pass(key: Key | null): void {
    const { start, end } = this.#ahead;
    if (this.#passed === null) {
      this.#passed = this.#order === "asc" ? { start, end: start } : { start: end ?? "", end };
      if (this.#order === "desc" && end === null) {
        // Without an upper end the passed part has to begin somewhere: it is set below, in the same turn.
        this.#passed.start = key ?? start;
      }
      this.#source.reads.addRange(this.#index.xid, this.#passed);
    }
    if (this.#order === "asc") {
      const next = key === null ? end : afterKey(key);
      this.#passed.end = next;
      this.#ahead.start = next ?? start;
    } else {
      const next = key ?? start;
      this.#passed.start = next;
      this.#ahead.end = next;
    }
    this.#isDone = key === null;
    this.#source.reads.touch();
  }

  /** The next stored row that no layer above hides. */
  #peekStored(below: Overlay | null, own: Overlay | null): StoredEntry | null {
    for (;;) {
      const entry = this.#page[this.#pageAt];
      if (entry === undefined) {
        if (this.#storeIsDone) {
          return null;
        }
        this.#fetch();
        continue;
      }
      if (below === null && own === null) {
        return entry;
      }
      const id = idOfKey(entry.key);
      if (below?.has(id) !== true && own?.has(id) !== true) {
        return entry;
      }
      this.#pageAt += 1;
    }
  }

  #fetch(): void {
    const last = this.#page.at(-1);
    const { start, end } = this.#ahead;
    const rest: Interval =
      last === undefined
        ? { start, end }
        : this.#order === "asc"
          ? { start: afterKey(last.key), end }
          : { start, end: last.key };
    const { store } = this.#source.snapshot;
    const isById = this.#index === this.#table.byId;
    this.#page = isById
      ? store.scanIds(this.#table.tid, rest, this.#order, this.#fetchRows)
      : store.scan(this.#index.xid, rest, this.#order, this.#fetchRows);
    this.#pageAt = 0;
    this.#storeIsDone = this.#page.length < this.#fetchRows;
    this.#fetchRows = Math.min(FETCH_ROWS_MAX, this.#fetchRows * 4);
  }

  /** The next version of the snapshot that is not on disk and that the transaction has not written over. */
  #seekBelow(below: Overlay, own: Overlay | null): OverlayEntry | null {
    let { start, end } = this.#ahead;
    for (;;) {
      const entry = below.seek(this.#index.xid, start, end, this.#order);
      if (entry === null || own?.has(entry.id) !== true) {
        return entry;
      }
      if (this.#order === "asc") {
        start = afterKey(entry.key);
      } else {
        end = entry.key;
      }
    }
  }

  #earlier(a: OverlayEntry | null, b: OverlayEntry | null): OverlayEntry | null {
    if (a === null || b === null) {
      return a ?? b;
    }
    return this.#comesFirst(a.key, b.key) ? a : b;
  }

  #comesFirst(a: Key, b: Key): boolean {
    return this.#order === "asc" ? a < b : a > b;
  }
}
