import { developerError } from "../errors";
import { searchChanges } from "../search/document-terms";
import type { SearchChange } from "../storage/search-terms";
import type { EntryChange } from "../storage/store";
import type { JsonObject } from "../types";
import { resolveCommitTs } from "../values/commit-ts";
import { encodeKey, type Key } from "../values/key";
import { validateDocument } from "../values/validator";
import { type BuiltDocument, parseStored } from "./document";
import { Overlay } from "./overlay";
import type { Reads } from "./read-set";
import type { ReadDoc, Snapshot } from "./snapshot";
import { documentKeys, searchesOf, type TableInfo } from "./table";
import type { DocChange, DocVersion } from "./write-log";

/** One document that the transaction changed: as the snapshot has it, and as it shall be. */
type PendingRow = {
  readonly table: TableInfo;
  readonly id: string;
  readonly base: ReadDoc | null;
  readonly next: DocVersion | null;
};

/** A document to be written at the commit. */
export type RowChange = DocChange & { readonly rid: number | null; readonly next: DocVersion | null };

const NO_KEYS: ReadonlyMap<number, Key> = new Map();

/**
 * The writes of one transaction, not yet on disk: what they were, what they hide from the transaction's own reads, and
 * how a part of them is taken back.
 */
export class RowWriter {
  readonly #snapshot: Snapshot;
  readonly #reads: Reads;
  readonly #rows = new Map<string, PendingRow>();
  readonly #overlays = new Map<number, Overlay>();
  /** What each write replaced, newest last. */
  readonly #history: {
    readonly id: string;
    readonly table: TableInfo;
    readonly before: PendingRow | undefined;
  }[] = [];

  constructor(snapshot: Snapshot, reads: Reads) {
    this.#snapshot = snapshot;
    this.#reads = reads;
  }

  overlayOf(table: TableInfo): Overlay | null {
    return this.#overlays.get(table.tid) ?? null;
  }

  /** The document as the transaction sees it. Does not enter the read set. */
  get(table: TableInfo, id: string): DocVersion | null {
    const own = this.#rows.get(id);
    return own === undefined ? this.#snapshot.get(table, id) : own.next;
  }

  /** Writes a version, null to delete. The written row counts as read. */
  set(table: TableInfo, id: string, document: BuiltDocument | null, isNew = false): void {
    const before = this.#rows.get(id);
    const base = before?.base ?? (isNew || before !== undefined ? null : this.#snapshot.get(table, id));
    this.#reads.addPoint(table.byId.xid, encodeKey(id));
    this.#history.push({ id, table, before });
    this.#rows.set(id, { table, id, base, next: document });
    this.#overlay(table).set(id, {
      version: document,
      keys: document === null ? NO_KEYS : documentKeys(table, id, document.value),
    });
  }

  /** Where the history stands; `undoTo` takes back what was written after it. */
  get mark(): number {
    return this.#history.length;
  }

  undoTo(mark: number): void {
    while (this.#history.length > mark) {
      const step = this.#history.pop();
      if (step === undefined) {
        return;
      }
      const { id, table, before } = step;
      if (before === undefined) {
        this.#rows.delete(id);
        this.#overlay(table).set(id, undefined);
      } else {
        this.#rows.set(id, before);
        const keys = before.next === null ? NO_KEYS : documentKeys(table, id, parseStored(before.next.text));
        this.#overlay(table).set(id, { version: before.next, keys });
      }
    }
  }

  /** Whether a commit would change anything. */
  hasChanges(): boolean {
    for (const row of this.#rows.values()) {
      if (row.base?.text !== row.next?.text) {
        return true;
      }
    }
    return false;
  }

  /** What a commit would leave of each changed document; "" for one that is gone. */
  written(): Map<string, string> {
    const written = new Map<string, string>();
    for (const { id, base, next } of this.#rows.values()) {
      if (base?.text !== next?.text) {
        written.set(id, next?.text ?? "");
      }
    }
    return written;
  }

  /** What the commit at `ts` changes; rows that end as they began are left out. */
  changes(ts: bigint): RowChange[] {
    const changes: RowChange[] = [];
    for (const { table, id, base, next } of this.#rows.values()) {
      if (base?.text === next?.text) {
        continue;
      }
      const resolved = next === null ? null : atCommit(next, ts);
      const before = base === null ? null : parseStored(base.text);
      changes.push({
        table,
        id,
        rid: base?.rid ?? null,
        old: base === null ? null : { size: base.size, text: base.text },
        next: resolved,
        entries: entryChanges(
          before === null ? NO_KEYS : documentKeys(table, id, before),
          resolved === null
            ? NO_KEYS
            : resolved === next
              ? (this.#overlay(table).get(id)?.keys ?? NO_KEYS)
              : documentKeys(table, id, parseStored(resolved.text)),
        ),
        searches: searchesOfRow(table, before, resolved),
      });
    }
    return changes;
  }

  #overlay(table: TableInfo): Overlay {
    let overlay = this.#overlays.get(table.tid);
    if (overlay === undefined) {
      overlay = new Overlay();
      this.#overlays.set(table.tid, overlay);
    }
    return overlay;
  }
}

function searchesOfRow(
  table: TableInfo,
  before: JsonObject | null,
  next: DocVersion | null,
): readonly SearchChange[] {
  const searches = searchesOf(table);
  return searchChanges(
    searches,
    before,
    searches.length === 0 || next === null ? null : parseStored(next.text),
  );
}

function entryChanges(oldKeys: ReadonlyMap<number, Key>, newKeys: ReadonlyMap<number, Key>): EntryChange[] {
  const changes: EntryChange[] = [];
  for (const [xid, newKey] of newKeys) {
    changes.push({ xid, oldKey: oldKeys.get(xid) ?? null, newKey });
  }
  for (const [xid, oldKey] of oldKeys) {
    if (!newKeys.has(xid)) {
      changes.push({ xid, oldKey, newKey: null });
    }
  }
  return changes;
}

/** Puts the timestamp of the commit where the function wrote `db.vars.commitTs`. */
function atCommit(version: DocVersion, ts: bigint): DocVersion {
  const text = resolveCommitTs(version.text, ts);
  return text === version.text ? version : { size: version.size, text };
}

/** Holds a document of a declared table against the schema. Throws the developer error of Convex. */
export function enforceSchema(
  table: TableInfo,
  document: JsonObject,
  tables: Parameters<typeof validateDocument>[2],
): void {
  const failure = table.validator === null ? null : validateDocument(table.validator, document, tables);
  if (failure !== null) {
    throw developerError(
      "SchemaEnforcementError",
      `Failed to insert or update a document in table "${table.name}" because it does not match the schema: ${failure}`,
    );
  }
}
