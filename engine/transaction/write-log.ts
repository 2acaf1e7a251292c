import { SearchLog } from "../search/search-log";
import type { SearchChange } from "../storage/search-terms";
import type { EntryChange } from "../storage/store";
import type { Timestamp } from "../types";
import type { Key } from "../values/key";
import { Fifo } from "./fifo";
import type { Reads } from "./read-set";
import type { TableInfo } from "./table";

/** A document as a reader gets it. */
export type DocVersion = { readonly size: number; readonly text: string };

/** What one commit did to one document. */
export type DocChange = {
  readonly table: TableInfo;
  readonly id: string;
  readonly old: DocVersion | null;
  /** Its entries in all indexes of the table, the unchanged ones too: their readers saw the old document. */
  readonly entries: readonly EntryChange[];
  /** The same of the search indexes that have or had the document. */
  readonly searches: readonly SearchChange[];
};

/** A change of an accepted commit, with what it leaves of the document. */
export type AcceptedChange = { readonly change: DocChange; readonly next: DocVersion | null };

export type LogEntry = {
  /** Position in the log; rises by one. Cheaper to compare than a timestamp. */
  readonly seq: number;
  readonly ts: Timestamp;
  readonly atMs: number;
  readonly changes: readonly DocChange[];
  /** Keys of `CATALOG_XID` that the commit wrote: tables that it created. */
  readonly catalogKeys: readonly Key[];
};

/** The pseudo index of table names and numbers: reading a table that is missing is reading here. */
export const CATALOG_XID = 0;

/** How long old versions stay readable. Functions run for seconds at most; subscriptions need the last commits only. */
const RETENTION_MS = 60_000;
/** Memory for old versions and keys, by a rough count of characters. */
const RETENTION_CHARS = 64 * 1024 * 1024;
/** Convex lets its HTTP client query this far into the past (`consistentQuery`). */
const PROMISED_RETENTION_MS = 30_000;
/** What the promise may cost: 30 s at 4 MiB/s, the write rate of Convex's class S16, both old and new keys counted. */
const PROMISED_RETENTION_CHARS = 160 * 1024 * 1024;

type Touch = { readonly seq: number; readonly key: Key; readonly change: DocChange | null };

/**
 * The recent commits, in order: against them a transaction is checked for conflicts, and through them a reader of an
 * older snapshot sees what SQLite, which holds the newest state alone, no longer has.
 *
 * A commit enters when it is accepted, before it is on disk, so that the next one is checked against it; it becomes
 * readable when it is published.
 */
export class WriteLog {
  readonly #entries = new Fifo<LogEntry>();
  readonly #touches = new Map<number, Fifo<Touch>>();
  readonly #searches = new SearchLog();
  readonly #byTable = new Map<number, Fifo<{ readonly seq: number; readonly change: DocChange }>>();
  /** What accepted commits leave that are not on disk yet, by table and in order. */
  readonly #accepted = new Map<number, Fifo<{ readonly seq: number } & AcceptedChange>>();
  #epoch = 0;
  #lastSeq = 0;
  #publishedSeq = 0;
  /** Snapshots before this position are gone. */
  #floorSeq = 0;
  #floorTs: Timestamp;
  #chars = 0;

  /** @param lastTs the newest commit on disk, where the log begins */
  constructor(lastTs: Timestamp) {
    this.#floorTs = lastTs;
  }

  /** Position of the newest commit that readers may see. */
  get publishedSeq(): number {
    return this.#publishedSeq;
  }

  /** Changes when accepted commits are taken back: what was read of them does not hold any more. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Position of the newest commit that was accepted. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  isExpired(seq: number): boolean {
    return seq < this.#floorSeq;
  }

  /** @param accepted the commit's changes with what they leave, where it is not on disk yet */
  append(commit: Omit<LogEntry, "seq">, accepted: readonly AcceptedChange[]): LogEntry {
    this.#lastSeq += 1;
    const entry: LogEntry = { ...commit, seq: this.#lastSeq };
    this.#entries.push(entry);
    for (const change of accepted) {
      fifoOf(this.#accepted, change.change.table.tid).push({ seq: entry.seq, ...change });
    }
    this.#eachTouch(entry, (xid, touch) => {
      fifoOf(this.#touches, xid).push(touch);
      this.#chars += touch.key.length;
    });
    for (const change of entry.changes) {
      fifoOf(this.#byTable, change.table.tid).push({ seq: entry.seq, change });
      this.#chars += charsOf(change);
    }
    this.#searches.append(entry);
    return entry;
  }

  /** Takes back every commit that was accepted but not published: its flush failed. */
  dropUnpublished(): void {
    this.#epoch += 1;
    this.#accepted.clear();
    while (this.#lastSeq > this.#publishedSeq) {
      const entry = this.#entries.pop();
      if (entry === undefined) {
        return;
      }
      this.#eachTouch(entry, (xid, touch) => {
        this.#touches.get(xid)?.pop();
        this.#chars -= touch.key.length;
      });
      for (const change of entry.changes) {
        this.#byTable.get(change.table.tid)?.pop();
        this.#chars -= charsOf(change);
      }
      this.#searches.drop(entry);
      this.#lastSeq -= 1;
    }
  }

  /** Makes commits up to `seq` readable and forgets what is too old. */
  publish(seq: number, nowMs: number): void {
    this.#publishedSeq = seq;
    for (const [tid, changes] of this.#accepted) {
      while ((changes.first()?.seq ?? Number.POSITIVE_INFINITY) <= seq) {
        changes.shift();
      }
      if (changes.length === 0) {
        this.#accepted.delete(tid);
      }
    }
    for (;;) {
      const oldest = this.#entries.first();
      if (oldest === undefined || oldest.seq >= seq || this.#isKept(nowMs - oldest.atMs)) {
        return;
      }
      this.#forgetOldest(oldest);
    }
  }

  #isKept(ageMs: number): boolean {
    const isPromised = ageMs <= PROMISED_RETENTION_MS && this.#chars <= PROMISED_RETENTION_CHARS;
    return isPromised || (ageMs <= RETENTION_MS && this.#chars <= RETENTION_CHARS);
  }

  /** Ends every snapshot before now: after a change of schema no transaction that began before it may go on. */
  expireAll(): void {
    const newest = this.#entries.last();
    if (newest !== undefined) {
      this.#floorSeq = newest.seq;
      this.#floorTs = newest.ts;
    }
  }

  /** The position of the snapshot at `ts`; null where it is no longer readable. */
  seqAt(ts: Timestamp): number | null {
    if (ts < this.#floorTs) {
      return null;
    }
    const index = this.#entries.upperBound((entry) => entry.ts <= ts);
    const entry = this.#entries.at(index - 1);
    const seq = Math.min(entry?.seq ?? this.#floorSeq, this.#publishedSeq);
    return this.isExpired(seq) ? null : seq;
  }

  /** The timestamp of the commit at `seq`; null where it is forgotten. */
  tsAt(seq: number): Timestamp | null {
    const index = this.#entries.upperBound((entry) => entry.seq <= seq);
    const entry = this.#entries.at(index - 1);
    return entry?.seq === seq ? entry.ts : null;
  }

  /**
   * The first commit after `seq` that touched `reads`, accepted ones included; null where there is none.
   * Not to be asked about an expired position.
   *
   * @param catalogSeq where it differs from `seq`: the commit whose list of tables the reader saw
   */
  conflict(
    reads: Reads,
    seq: number,
    catalogSeq: number = seq,
  ): { seq: number; change: DocChange | null } | null {
    let first: Touch | null = null;
    for (const xid of reads.indexes()) {
      const touches = this.#touches.get(xid);
      if (touches === undefined) {
        continue;
      }
      const after = xid === CATALOG_XID ? catalogSeq : seq;
      for (let i = touches.upperBound((touch) => touch.seq <= after); i < touches.length; i += 1) {
        const touch = touches.at(i);
        if (touch === undefined || (first !== null && touch.seq >= first.seq)) {
          break;
        }
        if (reads.contains(xid, touch.key)) {
          first = touch;
          break;
        }
      }
    }
    const search = this.#searches.conflict(reads.searches, seq);
    return search !== null && (first === null || search.seq < first.seq) ? search : first;
  }

  /** Published changes of a table after `seq`, oldest first. */
  *changesOf(tid: number, seq: number): Iterable<DocChange> {
    const changes = this.#byTable.get(tid);
    if (changes === undefined) {
      return;
    }
    for (let i = changes.upperBound((item) => item.seq <= seq); i < changes.length; i += 1) {
      const item = changes.at(i);
      if (item === undefined || item.seq > this.#publishedSeq) {
        return;
      }
      yield item.change;
    }
  }

  /** What accepted commits up to `seq` leave in a table that the disk does not have yet, oldest first. */
  *acceptedOf(tid: number, seq: number): Iterable<AcceptedChange> {
    const changes = this.#accepted.get(tid);
    for (let i = 0; i < (changes?.length ?? 0); i += 1) {
      const accepted = changes?.at(i);
      if (accepted === undefined || accepted.seq > seq) {
        return;
      }
      yield accepted;
    }
  }

  #forgetOldest(entry: LogEntry): void {
    this.#entries.shift();
    if (entry.seq > this.#floorSeq) {
      this.#floorSeq = entry.seq;
      this.#floorTs = entry.ts;
    }
    this.#eachTouch(entry, (xid, touch) => {
      this.#touches.get(xid)?.shift();
      this.#chars -= touch.key.length;
    });
    for (const change of entry.changes) {
      this.#byTable.get(change.table.tid)?.shift();
      this.#chars -= charsOf(change);
    }
    this.#searches.forget(entry);
  }

  /** Every key that a commit touched, in an order that depends on the commit alone. */
  #eachTouch(entry: LogEntry, visit: (xid: number, touch: Touch) => void): void {
    for (const key of entry.catalogKeys) {
      visit(CATALOG_XID, { seq: entry.seq, key, change: null });
    }
    for (const change of entry.changes) {
      for (const { xid, oldKey, newKey } of change.entries) {
        if (oldKey !== null) {
          visit(xid, { seq: entry.seq, key: oldKey, change });
        }
        if (newKey !== null && newKey !== oldKey) {
          visit(xid, { seq: entry.seq, key: newKey, change });
        }
      }
    }
  }
}

/** Words are counted with what a map of them takes. */
const CHARS_PER_WORD = 32;

function charsOf({ old, searches }: DocChange): number {
  let chars = old?.text.length ?? 0;
  for (const { old: before, next } of searches) {
    chars += ((before?.counts.size ?? 0) + (next?.counts.size ?? 0)) * CHARS_PER_WORD;
  }
  return chars;
}

function fifoOf<Item>(map: Map<number, Fifo<Item>>, id: number): Fifo<Item> {
  let fifo = map.get(id);
  if (fifo === undefined) {
    fifo = new Fifo();
    map.set(id, fifo);
  }
  return fifo;
}
