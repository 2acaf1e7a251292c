import { EngineError } from "../errors";
import { bytesToKey, type Key } from "../values/key";
import type { SqlRow, SqlValue } from "./driver";
import type { SearchChange } from "./search-terms";

/** A document as it lies on disk: its row number, its size by Convex's formula and its canonical encoded JSON. */
export type StoredDoc = { readonly rid: number; readonly size: number; readonly text: string };
export type StoredEntry = StoredDoc & { readonly key: Key };

/** Keys from `start` (inclusive) to `end` (exclusive; null: no bound). */
export type Interval = { readonly start: Key; readonly end: Key | null };

/** One index entry that a write takes away, puts in, or both. */
export type EntryChange = { readonly xid: number; readonly oldKey: Key | null; readonly newKey: Key | null };

/** One document that a commit changes. `rid` is null for a new one, "by_id" where only its id is known. */
export type DocWrite = {
  readonly tid: number;
  readonly id: string;
  readonly rid: number | "by_id" | null;
  /** Null deletes. */
  readonly next: { readonly size: number; readonly text: string } | null;
  readonly entries: readonly EntryChange[];
  readonly searches: readonly SearchChange[];
};

/** What one SQLite transaction writes for many of the engine's. Plain data, because it may go to a thread. */
export type Batch = {
  readonly tables: readonly NewTable[];
  readonly docs: readonly DocWrite[];
  /** A named value (`meta`) that changes with it. */
  readonly mark: { readonly name: string; readonly value: string };
};
export type NewTable = { readonly table: TableRow; readonly indexes: readonly IndexRow[] };

export type TableRow = { tid: number; component: string; name: string; number: number };
/**
 * `live`: queries may use it. `staged`: declared, but not to be used yet. `pending`: of a push that is not finished.
 * For a search index the first field is the one that is searched, the others are for filters.
 */
export type IndexState = "live" | "staged" | "pending";
export type IndexRow = {
  readonly xid: number;
  readonly tid: number;
  readonly name: string;
  readonly kind: "db" | "search";
  readonly fields: readonly string[];
  readonly state: IndexState;
  /**
   * How far its backfill is, which goes through the table by creation time: documents up to this key have been entered,
   * later ones have not. Null when it is complete.
   */
  readonly builtTo: Key | null;
};

/** A row of the list of indexes. */
export function toIndex(row: SqlRow): IndexRow {
  const { xid, tid, name, kind, fields, state, built_to: builtTo } = row;
  return {
    xid: Number(xid),
    tid: Number(tid),
    name: String(name),
    kind: kind === "search" ? "search" : "db",
    fields: fields === "" ? [] : String(fields).split(","),
    state: state === "staged" || state === "pending" ? state : "live",
    builtTo: builtTo == null ? null : bytesToKey(toBytes(builtTo)),
  };
}

/** A row of the documents. */
export const toDoc = (row: SqlRow): StoredDoc => ({
  rid: Number(row["rid"]),
  size: Number(row["size"]),
  text: String(row["val"]),
});

export const toEntry = (row: SqlRow, key: Key): StoredEntry => ({ ...toDoc(row), key });

/** Bytes of a key; throws where SQLite has something else there. */
export function toBytes(value: SqlValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) {
    return value;
  }
  throw new EngineError("internal", "DatabaseDamaged", "An index entry has no key.");
}
