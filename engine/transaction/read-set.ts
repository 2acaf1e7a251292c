import type { SearchRead } from "../search/search-reads";
import type { Interval } from "../storage/store";
import type { ReadSet } from "../types";
import type { Key } from "../values/key";

/** The part of an index that one running query has looked at; it grows as the query reads on. */
export type ReadRange = { start: Key; end: Key | null };

/** Everything that was looked at in one index: single keys, and ranges without overlap in ascending order. */
export type IndexReads = { readonly points: ReadonlySet<Key>; readonly ranges: readonly Interval[] };

/**
 * What a transaction looked at, as intervals of index keys. A later write conflicts, or wakes a subscription, if its
 * old or new key lies in one of them.
 */
export class Reads implements ReadSet {
  readonly #points = new Map<number, Set<Key>>();
  readonly #ranges = new Map<number, ReadRange[]>();
  readonly #searches: SearchRead[] = [];
  #normalized = new Map<number, readonly Interval[]>();
  #size = 0;

  /** Keys and ranges, before overlaps are merged. */
  get size(): number {
    return this.#size;
  }

  addPoint(xid: number, key: Key): void {
    let points = this.#points.get(xid);
    if (points === undefined) {
      points = new Set();
      this.#points.set(xid, points);
    }
    const before = points.size;
    points.add(key);
    this.#size += points.size - before;
  }

  /** Starts a range that `range` keeps describing: its ends may move until the transaction is over. */
  addRange(xid: number, range: ReadRange): void {
    const ranges = this.#ranges.get(xid);
    if (ranges === undefined) {
      this.#ranges.set(xid, [range]);
    } else {
      ranges.push(range);
    }
    this.#size += 1;
    this.touch();
  }

  addSearch(read: SearchRead): void {
    this.#searches.push(read);
    this.#size += 1;
  }

  get searches(): readonly SearchRead[] {
    return this.#searches;
  }

  /** To be called when the ends of a range moved. */
  touch(): void {
    if (this.#normalized.size > 0) {
      this.#normalized = new Map();
    }
  }

  indexes(): Set<number> {
    return new Set([...this.#points.keys(), ...this.#ranges.keys()]);
  }

  of(xid: number): IndexReads {
    return { points: this.#points.get(xid) ?? NO_POINTS, ranges: this.#rangesOf(xid) };
  }

  contains(xid: number, key: Key): boolean {
    return this.#points.get(xid)?.has(key) === true || includesKey(this.#rangesOf(xid), key);
  }

  #rangesOf(xid: number): readonly Interval[] {
    const ranges = this.#ranges.get(xid);
    if (ranges === undefined) {
      return NO_RANGES;
    }
    let normalized = this.#normalized.get(xid);
    if (normalized === undefined) {
      normalized = mergeRanges(ranges);
      this.#normalized.set(xid, normalized);
    }
    return normalized;
  }
}

const NO_POINTS: ReadonlySet<Key> = new Set();
const NO_RANGES: readonly Interval[] = [];

/** Non-empty ranges in ascending order, those that touch joined. */
export function mergeRanges(ranges: readonly ReadRange[]): Interval[] {
  const sorted = ranges
    .filter((range) => range.end === null || range.start < range.end)
    .sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  const merged: ReadRange[] = [];
  for (const { start, end } of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && (last.end === null || start <= last.end)) {
      last.end = last.end === null || end === null ? null : end > last.end ? end : last.end;
    } else {
      merged.push({ start, end });
    }
  }
  return merged;
}

/** Whether one of the ascending, disjoint `ranges` holds `key`. */
export function includesKey(ranges: readonly Interval[], key: Key): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.start ?? key) <= key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const range = ranges[low - 1];
  return range !== undefined && (range.end === null || key < range.end);
}
