import { setImmediate } from "node:timers/promises";
import { EngineError } from "../errors";
import { IndexScan } from "../query/scan";
import type { ComponentPath, HeldSnapshot, HeldTable, Timestamp } from "../types";
import { afterKey, encodeKey, type Key } from "../values/key";
import type { CatalogState } from "./catalog-state";
import { overloaded } from "./committer";
import { Overlay } from "./overlay";
import { Reads } from "./read-set";
import type { Snapshot } from "./snapshot";
import type { TableInfo } from "./table";
import type { LogEntry } from "./write-log";

/** Rows that are read without giving others a turn: a few milliseconds. */
const ROWS_PER_TURN = 200;
/** Characters of older versions that are kept for one holder; beyond it the holder has to give up. */
const UNDO_CHARS_MAX = 256 * 1024 * 1024;

export type HeldParts = {
  readonly ts: Timestamp;
  readonly catalog: CatalogState;
  /** The newest snapshot; asked anew for every page. */
  current(): Snapshot;
  onClose(): void;
};

/**
 * One moment of the database, readable for as long as its holder wants. The write log forgets after a minute, so this
 * keeps for itself what later commits replace; the rest is read from the newest state.
 */
export class HeldSnapshotOf implements HeldSnapshot {
  readonly ts: Timestamp;
  readonly #parts: HeldParts;
  /** The rows that were changed since, as they were, by table. */
  readonly #undo = new Map<number, Overlay>();
  readonly #tids: ReadonlySet<number>;
  #chars = 0;
  #failure: EngineError | null = null;
  #isClosed = false;

  constructor(parts: HeldParts) {
    this.ts = parts.ts;
    this.#parts = parts;
    this.#tids = new Set([...parts.catalog.tables()].map((table) => table.tid));
  }

  get tables(): readonly HeldTable[] {
    return [...this.#parts.catalog.tables()]
      .map(({ component, name, number }) => ({ component, name, number }))
      .sort((a, b) =>
        a.component === b.component ? a.number - b.number : a.component < b.component ? -1 : 1,
      );
  }

  /** To be told of every commit, in order, before anybody can read it. */
  observe(entry: LogEntry): void {
    for (const { table, id, old } of entry.changes) {
      if (!this.#tids.has(table.tid) || this.#failure !== null) {
        continue;
      }
      const overlay = this.#overlayOf(table.tid);
      // The first change after the snapshot knows the version that the snapshot sees.
      if (!overlay.has(id)) {
        const keys: [number, Key][] = old === null ? [] : [[table.byId.xid, encodeKey(id)]];
        overlay.set(id, { version: old, keys: new Map(keys) });
        this.#chars += id.length + (old?.text.length ?? 0);
      }
    }
    if (this.#chars > UNDO_CHARS_MAX) {
      this.#undo.clear();
      this.#failure = overloaded("too much was changed while a copy of the data was being read; try again");
    }
  }

  async *pages(component: ComponentPath, name: string): AsyncGenerator<{ id: string; text: string }[]> {
    const table = this.#parts.catalog.table(component, name);
    if (table === null) {
      return;
    }
    let start: Key = "";
    for (;;) {
      const rows = this.#page(table, start);
      const last = rows.at(-1);
      if (last === undefined) {
        return;
      }
      yield rows;
      start = afterKey(encodeKey(last.id));
      await setImmediate();
    }
  }

  close(): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#undo.clear();
      this.#parts.onClose();
    }
  }

  #page(table: TableInfo, start: Key): { id: string; text: string }[] {
    if (this.#failure !== null) {
      throw this.#failure;
    }
    if (this.#isClosed) {
      throw new EngineError("internal", "SnapshotClosed", "A copy of the data was read after its end.");
    }
    const scan = new IndexScan(
      {
        snapshot: this.#parts.current(),
        ownWrites: () => this.#undo.get(table.tid) ?? null,
        reads: new Reads(),
      },
      table,
      table.byId,
      { start, end: null },
      "asc",
      ROWS_PER_TURN,
    );
    const rows: { id: string; text: string }[] = [];
    while (rows.length < ROWS_PER_TURN) {
      const row = scan.next();
      if (row === null) {
        break;
      }
      rows.push({ id: row.id, text: row.version.text });
    }
    return rows;
  }

  #overlayOf(tid: number): Overlay {
    let overlay = this.#undo.get(tid);
    if (overlay === undefined) {
      overlay = new Overlay();
      this.#undo.set(tid, overlay);
    }
    return overlay;
  }
}
