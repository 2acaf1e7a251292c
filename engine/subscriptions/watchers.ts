import { SearchWatches } from "../search/search-watches";
import type { Reads } from "../transaction/read-set";
import type { LogEntry } from "../transaction/write-log";
import { CATALOG_XID } from "../transaction/write-log";
import type { Timestamp, Watch } from "../types";
import type { Key } from "../values/key";
import { IntervalTree } from "./interval-tree";

type Waiting = { readonly reads: Reads; readonly onStale: (ts: Timestamp) => void };
type IndexWatches = { readonly points: Map<Key, Set<Waiting>>; readonly ranges: IntervalTree<Waiting> };

/** Who waits for a change of what they read; a commit finds them through the keys that it touched. */
export class Watchers {
  readonly #indexes = new Map<number, IndexWatches>();
  readonly #searches = new SearchWatches<Waiting>();
  readonly #waiting = new Set<Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  /** `onStale` is called once, at most. `reads` must not change any more. */
  add(reads: Reads, onStale: (ts: Timestamp) => void): Watch {
    const waiting: Waiting = { reads, onStale };
    this.#waiting.add(waiting);
    for (const xid of reads.indexes()) {
      const watches = this.#watchesOf(xid);
      const { points, ranges } = reads.of(xid);
      for (const key of points) {
        const set = watches.points.get(key);
        if (set === undefined) {
          watches.points.set(key, new Set([waiting]));
        } else {
          set.add(waiting);
        }
      }
      for (const { start, end } of ranges) {
        watches.ranges.add(start, end, waiting);
      }
    }
    this.#searches.add(reads.searches, waiting);
    return { close: () => this.#remove(waiting) };
  }

  /** Takes out and answers what to call for a commit. */
  take(entry: LogEntry): ((ts: Timestamp) => void)[] {
    const hit = new Set<Waiting>();
    for (const key of entry.catalogKeys) {
      this.#probe(CATALOG_XID, key, hit);
    }
    for (const change of entry.changes) {
      for (const { xid, oldKey, newKey } of change.entries) {
        if (oldKey !== null) {
          this.#probe(xid, oldKey, hit);
        }
        if (newKey !== null && newKey !== oldKey) {
          this.#probe(xid, newKey, hit);
        }
      }
      for (const search of change.searches) {
        this.#searches.probe(search, (waiting) => hit.add(waiting));
      }
    }
    for (const waiting of hit) {
      this.#remove(waiting);
    }
    return [...hit].map((waiting) => waiting.onStale);
  }

  /** Takes out everybody: after a change of schema all results are in doubt. */
  takeAll(): ((ts: Timestamp) => void)[] {
    const all = [...this.#waiting].map((waiting) => waiting.onStale);
    this.#waiting.clear();
    this.#indexes.clear();
    this.#searches.clear();
    return all;
  }

  #probe(xid: number, key: Key, hit: Set<Waiting>): void {
    const watches = this.#indexes.get(xid);
    if (watches === undefined) {
      return;
    }
    for (const waiting of watches.points.get(key) ?? []) {
      hit.add(waiting);
    }
    watches.ranges.stab(key, (waiting) => hit.add(waiting));
  }

  #remove(waiting: Waiting): void {
    if (!this.#waiting.delete(waiting)) {
      return;
    }
    this.#searches.remove(waiting);
    for (const xid of waiting.reads.indexes()) {
      const watches = this.#indexes.get(xid);
      if (watches === undefined) {
        continue;
      }
      const { points, ranges } = waiting.reads.of(xid);
      for (const key of points) {
        const set = watches.points.get(key);
        set?.delete(waiting);
        if (set?.size === 0) {
          watches.points.delete(key);
        }
      }
      for (const { start, end } of ranges) {
        watches.ranges.remove(start, end, waiting);
      }
      if (watches.points.size === 0 && watches.ranges.isEmpty) {
        this.#indexes.delete(xid);
      }
    }
  }

  #watchesOf(xid: number): IndexWatches {
    let watches = this.#indexes.get(xid);
    if (watches === undefined) {
      watches = { points: new Map(), ranges: new IntervalTree() };
      this.#indexes.set(xid, watches);
    }
    return watches;
  }
}
