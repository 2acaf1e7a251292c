import { EngineError } from "../errors";
import type { Store } from "../storage/store";
import type { Timestamp } from "../types";
import type { Key } from "../values/key";
import type { CatalogState } from "./catalog-state";
import { Overlay } from "./overlay";
import type { TableInfo } from "./table";
import type { DocChange, DocVersion, WriteLog } from "./write-log";

/** A version with its row number where it was read from disk. */
export type ReadDoc = DocVersion & { readonly rid: number | null };

type View = { readonly overlay: Overlay; upToSeq: number };

/** That a snapshot may see commits which are accepted and not yet on disk. */
export type Ahead = {
  /** `WriteLog.epoch`, which changes when accepted commits are taken back. */
  readonly epoch: number;
  /** The newest commit on disk when the snapshot was taken: the catalog is that one's. */
  readonly publishedSeq: number;
};

/**
 * The database as it was at one commit. SQLite holds the newest state on disk alone; what was committed since then is
 * undone in memory, table by table, when a table is read.
 *
 * The snapshot of a mutation may also be ahead of the disk: then it sees what accepted commits will leave. What comes
 * of it must not be told before those are on disk (`Committer.settled`).
 */
export class Snapshot {
  readonly ts: Timestamp;
  readonly seq: number;
  readonly catalog: CatalogState;
  readonly store: Store;
  /** Null for a snapshot that sees only what is on disk. */
  readonly ahead: Ahead | null;
  readonly #log: WriteLog;
  readonly #views = new Map<number, View>();

  constructor(
    store: Store,
    log: WriteLog,
    catalog: CatalogState,
    { ts, seq, ahead = null }: { ts: Timestamp; seq: number; ahead?: Ahead | null },
  ) {
    this.store = store;
    this.#log = log;
    this.catalog = catalog;
    this.ts = ts;
    this.seq = seq;
    this.ahead = ahead;
  }

  /** Whether commits that it saw could not be written: nothing that was read here holds any more. */
  get isTakenBack(): boolean {
    return this.ahead !== null && this.ahead.epoch !== this.#log.epoch;
  }

  get(table: TableInfo, id: string): ReadDoc | null {
    const overlaid = this.overlayOf(table)?.get(id);
    if (overlaid !== undefined) {
      return overlaid.version === null ? null : { ...overlaid.version, rid: null };
    }
    return this.store.get(table.tid, id);
  }

  /**
   * The rows of a table that SQLite has otherwise than this snapshot: those that later commits changed, as they were,
   * and those of accepted commits, as they will be; null where there are none.
   * Throws EngineError "conflict" when the snapshot is too old to be read: the caller may rerun.
   */
  overlayOf(table: TableInfo): Overlay | null {
    if (this.#log.isExpired(this.seq) || this.isTakenBack) {
      throw snapshotExpired();
    }
    const publishedSeq = this.#log.publishedSeq;
    let view = this.#views.get(table.tid);
    if (view === undefined) {
      if (publishedSeq === this.seq) {
        return null;
      }
      // Rows of accepted commits stay here when those come to the disk: a scan may have read its page before.
      view = { overlay: this.#acceptedOf(table), upToSeq: this.seq };
      this.#views.set(table.tid, view);
    }
    if (view.upToSeq < publishedSeq) {
      for (const change of this.#log.changesOf(table.tid, view.upToSeq)) {
        // The first change after the snapshot knows the version that the snapshot sees.
        if (!view.overlay.has(change.id)) {
          view.overlay.set(change.id, { version: change.old, keys: keysOf(change, "oldKey") });
        }
      }
      view.upToSeq = publishedSeq;
    }
    return view.overlay.isEmpty ? null : view.overlay;
  }

  #acceptedOf(table: TableInfo): Overlay {
    const overlay = new Overlay();
    for (const { change, next } of this.#log.acceptedOf(table.tid, this.seq)) {
      overlay.set(change.id, { version: next, keys: keysOf(change, "newKey") });
    }
    return overlay;
  }
}

function keysOf({ entries }: DocChange, which: "oldKey" | "newKey"): Map<number, Key> {
  const keys = new Map<number, Key>();
  for (const entry of entries) {
    const key = entry[which];
    if (key !== null) {
      keys.set(entry.xid, key);
    }
  }
  return keys;
}

export const snapshotExpired = () =>
  new EngineError(
    "conflict",
    "SnapshotExpired",
    "The snapshot that this function reads is no longer kept. Run the function again.",
  );
