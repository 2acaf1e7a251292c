import { EngineError } from "../errors";
import type { Store } from "../storage/store";
import type { Timestamp } from "../types";
import type { Key } from "../values/key";
import type { CatalogState } from "./catalog-state";
import { Overlay } from "./overlay";
import type { TableInfo } from "./table";
import type { DocVersion, WriteLog } from "./write-log";

/** A version with its row number where it was read from disk. */
export type ReadDoc = DocVersion & { readonly rid: number | null };

type UndoView = { readonly overlay: Overlay; upToSeq: number };

/**
 * The database as it was at one commit. SQLite holds the newest state alone; what was committed since then is undone
 * in memory, table by table, when a table is read.
 */
export class Snapshot {
  readonly ts: Timestamp;
  readonly seq: number;
  readonly catalog: CatalogState;
  readonly store: Store;
  readonly #log: WriteLog;
  readonly #undo = new Map<number, UndoView>();

  constructor(store: Store, log: WriteLog, catalog: CatalogState, ts: Timestamp, seq: number) {
    this.store = store;
    this.#log = log;
    this.catalog = catalog;
    this.ts = ts;
    this.seq = seq;
  }

  get(table: TableInfo, id: string): ReadDoc | null {
    const undone = this.undoOf(table)?.get(id);
    if (undone !== undefined) {
      return undone.version === null ? null : { ...undone.version, rid: null };
    }
    return this.store.get(table.tid, id);
  }

  /**
   * The rows of a table that later commits changed, as they were; null where there are none.
   * Throws EngineError "conflict" when the snapshot is too old to be read: the caller may rerun.
   */
  undoOf(table: TableInfo): Overlay | null {
    if (this.#log.isExpired(this.seq)) {
      throw snapshotExpired();
    }
    const publishedSeq = this.#log.publishedSeq;
    if (publishedSeq === this.seq) {
      return null;
    }
    let view = this.#undo.get(table.tid);
    if (view === undefined) {
      view = { overlay: new Overlay(), upToSeq: this.seq };
      this.#undo.set(table.tid, view);
    }
    if (view.upToSeq < publishedSeq) {
      for (const change of this.#log.changesOf(table.tid, view.upToSeq)) {
        // The first change after the snapshot knows the version that the snapshot sees.
        if (!view.overlay.has(change.id)) {
          const keys = new Map<number, Key>();
          for (const { xid, oldKey } of change.entries) {
            if (oldKey !== null) {
              keys.set(xid, oldKey);
            }
          }
          view.overlay.set(change.id, { version: change.old, keys });
        }
      }
      view.upToSeq = publishedSeq;
    }
    return view.overlay.isEmpty ? null : view.overlay;
  }
}

export const snapshotExpired = () =>
  new EngineError(
    "conflict",
    "SnapshotExpired",
    "The snapshot that this function reads is no longer kept. Run the function again.",
  );
