import type { Key } from "../values/key";
import type { DocVersion } from "./write-log";

/** A document that a layer over the stored table says differs from it: another version, or none. */
export type OverlayRow = {
  readonly version: DocVersion | null;
  /** Its key in each index, by xid; empty where there is no version. */
  readonly keys: ReadonlyMap<number, Key>;
};

export type OverlayEntry = { readonly key: Key; readonly id: string; readonly version: DocVersion };

type SortedEntry = { readonly key: Key; readonly id: string };

/**
 * The rows of one table that are not as SQLite has them: a transaction's own writes, or older versions that a snapshot
 * still sees. Each row hides the stored one; those with a version are found again in the order of any index.
 */
export class Overlay {
  readonly #rows = new Map<string, OverlayRow>();
  /** Indexes are sorted when first scanned and kept sorted from then on. */
  readonly #sorted = new Map<number, SortedEntry[]>();

  has(id: string): boolean {
    return this.#rows.has(id);
  }

  get(id: string): OverlayRow | undefined {
    return this.#rows.get(id);
  }

  rows(): Iterable<[id: string, row: OverlayRow]> {
    return this.#rows;
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  /** Puts a row; undefined takes it out, so that the stored row shows again. */
  set(id: string, row: OverlayRow | undefined): void {
    const before = this.#rows.get(id);
    for (const [xid, entries] of this.#sorted) {
      const oldKey = before?.keys.get(xid);
      const newKey = row?.keys.get(xid);
      if (oldKey !== newKey) {
        removeEntry(entries, oldKey);
        insertEntry(entries, newKey, id);
      }
    }
    if (row === undefined) {
      this.#rows.delete(id);
    } else {
      this.#rows.set(id, row);
    }
  }

  /** The first entry of an index from `start` on and before `end`, or the last one when `order` is descending. */
  seek(xid: number, start: Key, end: Key | null, order: "asc" | "desc"): OverlayEntry | null {
    const entries = this.#entriesOf(xid);
    const index =
      order === "asc"
        ? lowerBound(entries, start)
        : (end === null ? entries.length : lowerBound(entries, end)) - 1;
    const entry = entries[index];
    if (entry === undefined || entry.key < start || (end !== null && entry.key >= end)) {
      return null;
    }
    const version = this.#rows.get(entry.id)?.version;
    return version ? { ...entry, version } : null;
  }

  #entriesOf(xid: number): SortedEntry[] {
    let entries = this.#sorted.get(xid);
    if (entries === undefined) {
      entries = [];
      for (const [id, row] of this.#rows) {
        const key = row.keys.get(xid);
        if (key !== undefined) {
          entries.push({ key, id });
        }
      }
      entries.sort((a, b) => (a.key < b.key ? -1 : 1));
      this.#sorted.set(xid, entries);
    }
    return entries;
  }
}

function lowerBound(entries: readonly SortedEntry[], key: Key): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.key ?? key) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function insertEntry(entries: SortedEntry[], key: Key | undefined, id: string): void {
  if (key !== undefined) {
    entries.splice(lowerBound(entries, key), 0, { key, id });
  }
}

function removeEntry(entries: SortedEntry[], key: Key | undefined): void {
  if (key !== undefined) {
    entries.splice(lowerBound(entries, key), 1);
  }
}
