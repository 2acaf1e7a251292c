import type { SearchChange } from "../storage/search-terms";
import { Fifo } from "../transaction/fifo";
import type { DocChange, LogEntry } from "../transaction/write-log";
import { finds, type SearchRead } from "./search-reads";

type Touch = { readonly seq: number; readonly change: DocChange; readonly search: SearchChange };

/** The part of the write log that searches are checked against: which words each commit touched. */
export class SearchLog {
  readonly #touches = new Map<number, Fifo<Touch>>();

  append(entry: LogEntry): void {
    this.#each(entry, (search, change) => {
      let touches = this.#touches.get(search.xid);
      if (touches === undefined) {
        touches = new Fifo();
        this.#touches.set(search.xid, touches);
      }
      touches.push({ seq: entry.seq, change, search });
    });
  }

  /** Takes back the newest entry. */
  drop(entry: LogEntry): void {
    this.#each(entry, ({ xid }) => this.#touches.get(xid)?.pop());
  }

  /** Takes out the oldest entry. */
  forget(entry: LogEntry): void {
    this.#each(entry, ({ xid }) => this.#touches.get(xid)?.shift());
  }

  /** The first commit after `seq` that touched a document which one of `reads` could find. */
  conflict(reads: readonly SearchRead[], seq: number): { seq: number; change: DocChange } | null {
    let first: Touch | null = null;
    for (const read of reads) {
      const touches = this.#touches.get(read.xid);
      if (touches === undefined) {
        continue;
      }
      for (let i = touches.upperBound((touch) => touch.seq <= seq); i < touches.length; i += 1) {
        const touch = touches.at(i);
        if (touch === undefined || (first !== null && touch.seq >= first.seq)) {
          break;
        }
        if (isTouched(read, touch.search)) {
          first = touch;
          break;
        }
      }
    }
    return first;
  }

  #each(entry: LogEntry, visit: (search: SearchChange, change: DocChange) => void): void {
    for (const change of entry.changes) {
      for (const search of change.searches) {
        visit(search, change);
      }
    }
  }
}

const isTouched = (read: SearchRead, { old, next }: SearchChange): boolean =>
  (old !== null && finds(read, old)) || (next !== null && finds(read, next));
