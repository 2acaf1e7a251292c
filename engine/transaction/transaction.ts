import { EngineError } from "../errors";
import type { Fate } from "../fate";
import type { ScanSource } from "../query/scan";
import type { BeginOptions, ComponentPath, JsonObject, Savepoint, Timestamp, Transaction } from "../types";
import type { CursorCodec } from "../values/cursor";
import { encodeId } from "../values/id";
import { encodeKey, encodeKeys } from "../values/key";
import { DatabaseCalls } from "./database-calls";
import { type BuiltDocument, buildDocument, parseStored } from "./document";
import { Reads } from "./read-set";
import { enforceSchema, RowWriter } from "./row-writer";
import type { Snapshot } from "./snapshot";
import { SystemRowsOf } from "./system-rows";
import { checkTableName, isSystemName, type TableInfo } from "./table";
import { type SavedUsage, type TransactionLimits, Usage } from "./usage";
import { CATALOG_XID, type DocVersion } from "./write-log";

/** What a transaction needs of the database that began it. */
export type TransactionHost = {
  readonly cursors: CursorCodec;
  readonly limits: TransactionLimits;
  /** 16 bytes for a new id. */
  randomId(): Uint8Array;
  /** The creation times of the new documents of a transaction, in milliseconds: each later than the one before. */
  creationTimes(nowMs: number): () => number;
  /** The table that a transaction is about to create; the same answer to all that create it at once. */
  reserveTable(component: ComponentPath, name: string): TableInfo;
};

type SavedState = { readonly mark: number; readonly usage: SavedUsage };

/**
 * One transaction: a snapshot, what it read of it, and what it will write. Functions reach it through `call`, the
 * engine itself through `system`.
 */
export class EngineTransaction implements Transaction {
  readonly kind: "query" | "mutation";
  readonly nowMs: number;
  readonly reads = new Reads();
  readonly snapshot: Snapshot;
  readonly usage: Usage;
  readonly system: SystemRowsOf;
  readonly writer: RowWriter;
  readonly #host: TransactionHost;
  readonly #component: ComponentPath;
  readonly #options: BeginOptions;
  readonly #calls: DatabaseCalls;
  /** Tables that this transaction creates, by `component:name`. */
  readonly #created = new Map<string, TableInfo>();
  readonly #savepoints: SavedState[] = [];
  #fate: Fate | null = null;
  #creationTimes: (() => number) | null = null;

  /** @param usage counters that are shared with another transaction; its own without them */
  constructor(host: TransactionHost, snapshot: Snapshot, options: BeginOptions, usage?: Usage) {
    this.kind = options.kind;
    this.nowMs = options.nowMs;
    this.snapshot = snapshot;
    this.usage = usage ?? new Usage(options.unlimited === true, host.limits);
    this.#host = host;
    this.#options = options;
    this.#component = options.component ?? "";
    this.#calls = new DatabaseCalls(this, host.cursors, options.journal ?? null);
    this.writer = new RowWriter(snapshot, this.reads);
    this.system = new SystemRowsOf(this);
  }

  get beginTs(): Timestamp {
    return this.snapshot.ts;
  }

  get nextJournal(): string | null {
    return this.#calls.nextJournal;
  }

  answers(op: string): boolean {
    return this.#calls.answers(op);
  }

  call(op: string, argsJson: string, component = this.#component): string {
    return this.#calls.call(op, argsJson, component);
  }

  savepoint(): Savepoint {
    this.#savepoints.push({ mark: this.writer.mark, usage: this.usage.saveWrites() });
    return { depth: this.#savepoints.length };
  }

  rollbackTo(savepoint: Savepoint): void {
    const saved = this.#savepoints[savepoint.depth - 1];
    if (saved === undefined) {
      throw new EngineError("internal", "UnknownSavepoint", "The savepoint was already undone.");
    }
    this.#savepoints.length = savepoint.depth - 1;
    this.writer.undoTo(saved.mark);
    this.usage.restoreWrites(saved.usage);
  }

  metrics(): Record<string, { used: number; remaining: number }> {
    return this.usage.metrics();
  }

  limitWarnings(): string[] {
    return this.usage.warnings();
  }

  narrowLimits(requested: Readonly<Record<string, number | undefined>>): () => void {
    return this.usage.narrow(requested);
  }

  atSnapshot(): Transaction {
    const { nowMs } = this;
    const options: BeginOptions = { kind: "query", component: this.#component, nowMs };
    return new EngineTransaction(this.#host, this.snapshot, options, this.usage);
  }

  twin(): Transaction {
    return new EngineTransaction(this.#host, this.snapshot, this.#options);
  }

  follow(fate: Fate): void {
    this.#fate = fate;
  }

  written(): ReadonlyMap<string, string> {
    return this.writer.written();
  }

  chargeScheduled(argsBytes: number): void {
    this.usage.chargeScheduled(argsBytes);
  }

  hasWrites(): boolean {
    return this.writer.hasChanges();
  }

  get createdTables(): Iterable<TableInfo> {
    return this.#created.values();
  }

  // ---------------------------------------------------------------- tables

  /** The table called `name`, or null. Either answer enters the read set where it may change. */
  table(component: ComponentPath, name: string): TableInfo | null {
    const table =
      this.snapshot.catalog.table(component, name) ?? this.#created.get(`${component}:${name}`) ?? null;
    if (table === null) {
      this.reads.addPoint(CATALOG_XID, encodeKeys([component, name]));
    }
    return table;
  }

  /** The table that an id names, or null, which enters the read set as above. */
  tableByNumber(component: ComponentPath, number: number): TableInfo | null {
    const known = this.snapshot.catalog.tableByNumber(component, number);
    if (known !== null) {
      return known;
    }
    for (const table of this.#created.values()) {
      if (table.component === component && table.number === number) {
        return table;
      }
    }
    this.reads.addPoint(CATALOG_XID, encodeKeys([component, number]));
    return null;
  }

  /** The table called `name`, created with this transaction where there is none. */
  ensureTable(component: ComponentPath, name: string): TableInfo {
    const table = this.table(component, name);
    if (table !== null) {
      return table;
    }
    checkTableName(name);
    const created = this.#host.reserveTable(component, name);
    this.#created.set(`${component}:${name}`, created);
    return created;
  }

  scanSource(table: TableInfo): ScanSource {
    return { snapshot: this.snapshot, ownWrites: () => this.writer.overlayOf(table), reads: this.reads };
  }

  // ------------------------------------------------------------------ rows

  /** The document with this id, entered in the read set. */
  read(table: TableInfo, id: string): DocVersion | null {
    this.reads.addPoint(table.byId.xid, encodeKey(id));
    return this.writer.get(table, id);
  }

  /** A new document; answers its id. */
  insertRow(table: TableInfo, fields: JsonObject): string {
    const host = this.#host;
    const fate = this.#fate;
    this.#creationTimes ??= host.creationTimes(this.nowMs);
    const bytes = fate === null ? host.randomId() : fate.ids.draw(() => host.randomId());
    const time = fate === null ? this.#creationTimes() : fate.times.draw(this.#creationTimes);
    const id = encodeId(table.number, bytes);
    const document = buildDocument(fields, id, time);
    this.#enforce(table, document.value);
    this.#chargeWrite(table, id, document);
    this.writer.set(table, id, document, true);
    return id;
  }

  /** Replaces the fields of a document; one that stays the same is not written. */
  writeRow(table: TableInfo, id: string, base: DocVersion, fields: JsonObject): string {
    const creationTime = parseStored(base.text)["_creationTime"] ?? 0;
    const document = buildDocument(fields, id, creationTime);
    if (document.text !== base.text) {
      this.#enforce(table, document.value);
      this.#chargeWrite(table, id, document);
      this.writer.set(table, id, document);
    }
    return document.text;
  }

  deleteRow(table: TableInfo, id: string, base: DocVersion): void {
    if (!isSystemName(table.name)) this.usage.chargeWrite(base.size);
    this.writer.set(table, id, null);
  }

  /** What the engine writes for itself, as the row of a scheduled call, is no write of the function. */
  #chargeWrite(table: TableInfo, id: string, document: BuiltDocument): void {
    if (isSystemName(table.name)) return;
    this.usage.chargeWrite(document.size);
    this.usage.noteDocument(id, document.size, document.nesting);
  }

  #enforce(table: TableInfo, document: JsonObject): void {
    if (table.validator !== null) {
      enforceSchema(table, document, {
        tableNumber: (name) =>
          (
            this.snapshot.catalog.table(table.component, name) ??
            this.#created.get(`${table.component}:${name}`)
          )?.number ?? null,
        tableName: (number) => this.tableByNumber(table.component, number)?.name ?? null,
      });
    }
  }
}
