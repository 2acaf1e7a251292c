import { setImmediate } from "node:timers";
import type { Clock } from "../clock";
import { EngineError } from "../errors";
import type { Faults } from "../faults";
import { sqliteFailure } from "../storage/driver";
import type { DocWrite, NewTable, Store } from "../storage/store";
import type { CommitNotice, CommitResult, Timestamp } from "../types";
import { encodeKeys } from "../values/key";
import type { RowChange } from "./row-writer";
import { snapshotExpired } from "./snapshot";
import { indexesOf, indexRow, qualifiedName, type TableInfo } from "./table";
import type { EngineTransaction } from "./transaction";
import type { AcceptedChange, DocChange, DocVersion, LogEntry, WriteLog } from "./write-log";

/** Transactions of one SQLite commit: enough to share an fsync, few enough not to hold up the process. */
const BATCH_TRANSACTIONS_MAX = 128;
/** Characters of documents in one SQLite commit. */
const BATCH_CHARS_MAX = 8 * 1024 * 1024;
/** Accepted commits that wait for their flush. Beyond it the engine is overloaded. */
const PENDING_COMMITS_MAX = 10_000;

const NANOSECONDS_PER_MS = 1_000_000n;
export const META_LAST_TS = "last_ts";

/** What a commit changes on disk. */
type Writes = { readonly changes: readonly RowChange[]; readonly newTables: readonly TableInfo[] };

const NO_WRITES: Writes = { changes: [], newTables: [] };

type Pending = Writes & {
  readonly entry: LogEntry;
  readonly chars: number;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
};

export type PublishedCommit = { readonly entry: LogEntry; readonly notice: CommitNotice };

type Conflict = { readonly seq: number; readonly isOfCatalog: boolean; readonly error: EngineError };

export type CommitterParts = {
  readonly store: Store;
  readonly log: WriteLog;
  readonly clock: Clock;
  readonly faults: Faults | null;
  /** Newest timestamp on disk. */
  readonly lastTs: Timestamp;
  /** Commits are durable and readable; `newTables` exist from now on. Called in order, before callers are answered. */
  readonly publish: (commits: readonly PublishedCommit[], newTables: readonly TableInfo[]) => void;
};

/**
 * Takes transactions one after the other: checks each against all that came before it, on disk or still waiting, gives
 * it a timestamp, and writes with one fsync all that arrived in one turn of the event loop or during the last fsync.
 */
export class Committer {
  readonly #parts: CommitterParts;
  #pending: Pending[] = [];
  /** Those that wait until a commit is readable, or gone. */
  #waiting: { readonly seq: number; readonly go: () => void }[] = [];
  #lastTs: Timestamp;
  #publishedTs: Timestamp;
  #acceptedTs: Timestamp;
  #isFlushing = false;
  #flushIsDue = false;
  #isClosed = false;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
    this.#lastTs = parts.lastTs;
    this.#publishedTs = parts.lastTs;
    this.#acceptedTs = parts.lastTs;
  }

  /** Timestamp of the newest commit that is on disk and visible. */
  get publishedTs(): Timestamp {
    return this.#publishedTs;
  }

  /** Timestamp of the newest commit that was accepted; it may not be on disk yet. */
  get acceptedTs(): Timestamp {
    return this.#acceptedTs;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Throws "overloaded" at once; rejects with "conflict" or resolves after the fsync. Whether it is accepted is decided,
   * and `accepted` called, before this returns.
   */
  commit(transaction: EngineTransaction, accepted: () => void = () => undefined): Promise<CommitResult> {
    const { ts: beginTs } = transaction.snapshot;
    if (!transaction.hasWrites()) {
      accepted();
      return this.settled(transaction).then(() => ({ ts: beginTs }));
    }
    if (this.#isClosed || this.#pending.length >= PENDING_COMMITS_MAX) {
      throw overloaded(this.#isClosed ? "it is shutting down" : "too many commits are waiting");
    }
    const conflict = this.#conflictOf(transaction);
    if (conflict !== null) {
      // A rerun must find the commit that it lost to, or it would lose to it again.
      const seesAccepted = transaction.snapshot.ahead !== null && !conflict.isOfCatalog;
      return this.#whenKnown(seesAccepted ? 0 : conflict.seq).then(() => {
        throw conflict.error;
      });
    }
    const ts = this.nextTs();
    const writes = writesOf(transaction, ts);
    const { changes, newTables } = writes;
    const commit = { ts, atMs: this.#parts.clock.nowMs(), ...logged(writes) };
    const entry = this.#parts.log.append(commit, acceptedChanges(commit.changes, changes));
    this.#acceptedTs = ts;
    accepted();
    const chars = changes.reduce((sum, change) => sum + (change.next?.text.length ?? 0), 0);
    return new Promise((resolve, reject) => {
      this.#pending.push({ entry, changes, newTables, chars, resolve, reject });
      this.#scheduleFlush();
    });
  }

  /**
   * Resolves when everything that a transaction has seen is on disk, so that what came of it may be told. Rejects with
   * "conflict" when some of it could not be written.
   */
  async settled({ snapshot }: EngineTransaction): Promise<void> {
    if (snapshot.ahead === null) {
      return;
    }
    if (!snapshot.isTakenBack) {
      await this.#whenKnown(snapshot.seq);
    }
    if (snapshot.isTakenBack) {
      throw snapshotExpired();
    }
  }

  /** A timestamp above every one before it (law L9), whatever the wall clock does. */
  nextTs(): Timestamp {
    const now = BigInt(Math.floor(this.#parts.clock.nowMs())) * NANOSECONDS_PER_MS;
    this.#lastTs = now > this.#lastTs ? now : this.#lastTs + 1n;
    return this.#lastTs;
  }

  /** Writes everything accepted so far, and returns when it is published. */
  flushAll(): void {
    this.#flush();
    // One batch starts the next when it ends.
    this.#parts.store.settle();
  }

  /**
   * Changes the database outside of any transaction (catalog): `write` runs inside one SQLite transaction, after all
   * accepted commits, together with the writes of `along`, which has to begin after them. Answers its timestamp.
   */
  exclusively(write: () => void, along: EngineTransaction | null = null): Timestamp {
    if (this.#isClosed) {
      throw overloaded("it is shutting down");
    }
    this.flushAll();
    const conflict = along === null ? null : this.#conflictOf(along);
    if (conflict !== null) {
      throw conflict.error;
    }
    const ts = this.nextTs();
    const { store, log, clock, publish } = this.#parts;
    const writes = along === null ? NO_WRITES : writesOf(along, ts);
    store.atomically(() => {
      write();
      writeTo(store, writes);
      store.setMeta(META_LAST_TS, String(ts));
    });
    const entry = log.append({ ts, atMs: clock.nowMs(), ...logged(writes) }, []);
    log.publish(entry.seq, clock.nowMs());
    this.#publishedTs = ts;
    this.#acceptedTs = ts;
    if (along !== null) {
      publish([{ entry, notice: noticeOf(entry) }], writes.newTables);
    }
    return ts;
  }

  close(): void {
    this.flushAll();
    this.#isClosed = true;
  }

  #conflictOf({ snapshot, reads }: EngineTransaction): Conflict | null {
    const { log } = this.#parts;
    if (log.isExpired(snapshot.seq) || snapshot.isTakenBack) {
      return { seq: 0, isOfCatalog: false, error: snapshotExpired() };
    }
    const conflict = log.conflict(reads, snapshot.seq, snapshot.ahead?.publishedSeq);
    if (conflict === null) {
      return null;
    }
    const { change } = conflict;
    const message =
      change === null
        ? "A table that this mutation used was created while it was being run."
        : `Documents read from or written to the "${change.table.name}" table changed while this mutation was being run and on every subsequent retry. Another call to this mutation changed the document with ID "${change.id}". See https://docs.convex.dev/error#1`;
    return {
      seq: conflict.seq,
      isOfCatalog: change === null,
      error: new EngineError("conflict", "OptimisticConcurrencyControlFailure", message),
    };
  }

  /** Resolves when the commit at `seq` is readable, or gone. */
  #whenKnown(seq: number): Promise<void> {
    if (seq <= this.#parts.log.publishedSeq) {
      return Promise.resolve();
    }
    return new Promise((go) => {
      this.#waiting.push({ seq, go });
    });
  }

  /** Lets those go on that wait for a commit which is now readable, or gone. */
  #wake(): void {
    const { publishedSeq, lastSeq } = this.#parts.log;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) {
      if (waiter.seq <= publishedSeq || waiter.seq > lastSeq) {
        waiter.go();
      } else {
        this.#waiting.push(waiter);
      }
    }
  }

  #scheduleFlush(): void {
    // What is accepted while a batch is being written goes with the next one.
    if (!this.#flushIsDue && !this.#isFlushing) {
      this.#flushIsDue = true;
      setImmediate(() => {
        this.#flushIsDue = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    if (this.#isFlushing) {
      return;
    }
    const batch = this.#takeBatch();
    const last = batch.at(-1);
    if (last === undefined) {
      return;
    }
    const { store, faults } = this.#parts;
    faults?.at("before_flush", last.entry.ts);
    this.#isFlushing = true;
    store.commit(
      {
        tables: batch.flatMap(({ newTables }) => newTables.map(rowsOf)),
        docs: batch.flatMap(({ changes }) => changes.map(toWrite)),
        mark: { name: META_LAST_TS, value: String(last.entry.ts) },
      },
      {
        ...(faults === null ? {} : { written: () => faults.at("mid_flush", last.entry.ts) }),
        done: (error) => this.#flushed(batch, last.entry, error),
      },
    );
  }

  #flushed(batch: readonly Pending[], last: LogEntry, error: unknown): void {
    const { faults } = this.#parts;
    this.#isFlushing = false;
    if (error === null) {
      faults?.at("after_commit_before_publish", last.ts);
      this.#publish(batch, last);
    } else {
      this.#fail(batch, error);
    }
    this.#wake();
    if (error === null) {
      faults?.at("after_publish", last.ts);
    }
    this.#flush();
  }

  #takeBatch(): Pending[] {
    let chars = 0;
    let count = 0;
    for (const pending of this.#pending) {
      chars += pending.chars;
      if (count >= BATCH_TRANSACTIONS_MAX || (count > 0 && chars > BATCH_CHARS_MAX)) {
        break;
      }
      count += 1;
    }
    return this.#pending.splice(0, count);
  }

  /** All commits of a batch become readable at once, as SQLite has them all at once. */
  #publish(batch: readonly Pending[], last: LogEntry): void {
    const { log, clock, publish } = this.#parts;
    log.publish(last.seq, clock.nowMs());
    this.#publishedTs = last.ts;
    publish(
      batch.map(({ entry }) => ({
        entry,
        notice: noticeOf(entry),
      })),
      batch.flatMap(({ newTables }) => newTables),
    );
    for (const { entry, resolve } of batch) {
      resolve({ ts: entry.ts });
    }
  }

  /** Nothing of the batch is on disk. What was accepted after it was checked against it and has to go as well. */
  #fail(batch: readonly Pending[], error: unknown): void {
    const failed = [...batch, ...this.#pending.splice(0)];
    this.#parts.log.dropUnpublished();
    this.#acceptedTs = this.#publishedTs;
    const failure = writeFailure(error);
    for (const { reject } of failed) {
      reject(failure);
    }
  }
}

function writesOf(transaction: EngineTransaction, ts: Timestamp): Writes {
  const changes = transaction.writer.changes(ts);
  const newTables = [...transaction.createdTables].filter((table) =>
    changes.some((change) => change.table === table),
  );
  return { changes, newTables };
}

/** The same for the log. The new texts stay behind: they will be on disk, and the log is kept for a while. */
const logged = ({ changes, newTables }: Writes): Pick<LogEntry, "changes" | "catalogKeys"> => ({
  changes: changes.map(({ table, id, old, entries, searches }) => ({ table, id, old, entries, searches })),
  catalogKeys: newTables.flatMap(({ component, name, number }) => [
    encodeKeys([component, name]),
    encodeKeys([component, number]),
  ]),
});

const acceptedChanges = (logged: readonly DocChange[], changes: readonly RowChange[]): AcceptedChange[] =>
  logged.map((change, i) => ({ change, next: versionOf(changes[i]?.next ?? null) }));

/** Without what only its writer needs. */
const versionOf = (next: DocVersion | null): DocVersion | null =>
  next === null ? null : { size: next.size, text: next.text };

function writeTo(store: Store, { changes, newTables }: Writes): void {
  for (const table of newTables) {
    addTable(store, table);
  }
  for (const change of changes) {
    store.write(toWrite(change));
  }
}

const noticeOf = ({ ts, changes }: LogEntry): CommitNotice => ({
  ts,
  tables: new Set(changes.map((change) => qualifiedName(change.table))),
});

/** What a caller is told when SQLite did not take a write. */
export function writeFailure(error: unknown): EngineError {
  if (error instanceof EngineError) {
    return error;
  }
  const reason = error instanceof Error ? error.message : String(error);
  return sqliteFailure(error) === "unavailable"
    ? overloaded(`the disk does not take the write (${reason})`, error)
    : new EngineError("internal", "WriteFailed", `The write failed: ${reason}`, { cause: error });
}

export const addTable = (store: Store, table: TableInfo): void => store.createTable(rowsOf(table));

const rowsOf = (table: TableInfo): NewTable => ({
  table: { tid: table.tid, component: table.component, name: table.name, number: table.number },
  // The table is new and empty: there is nothing to build.
  indexes: indexesOf(table).map(({ index, state }) => indexRow(table.tid, index, state, null)),
});

/** What the disk has to know of a change, and no more: it goes to another thread. */
const toWrite = ({ table, id, rid, old, next, entries, searches }: RowChange): DocWrite => ({
  tid: table.tid,
  id,
  // A document that was read before it was on disk.
  rid: rid === null && old !== null ? "by_id" : rid,
  next: versionOf(next),
  // The index by id is the table itself.
  entries: entries.filter(({ xid, oldKey, newKey }) => xid !== table.byId.xid && oldKey !== newKey),
  searches,
});

export const overloaded = (reason: string, cause?: unknown) =>
  new EngineError("overloaded", "StorageUnavailable", `The engine cannot store this now: ${reason}.`, {
    cause,
  });
