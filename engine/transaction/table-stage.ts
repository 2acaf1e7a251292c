import { setImmediate } from "node:timers/promises";
import { developerError, EngineError } from "../errors";
import { parseJson } from "../json";
import { searchChanges } from "../search/document-terms";
import type { Store, StoredDoc } from "../storage/store";
import type { ComponentPath, JsonObject, StagedRow, TableRequest, TableStage, Timestamp } from "../types";
import { encodeId, tableNumberOf } from "../values/id";
import { afterKey, type Key } from "../values/key";
import type { ValidatorTables } from "../values/validator";
import type { CatalogState } from "./catalog-state";
import { addTable, type Committer, overloaded, writeFailure } from "./committer";
import { buildDocument, parseStored } from "./document";
import type { LooseTables } from "./loose-tables";
import { enforceSchema } from "./row-writer";
import { parseSchema } from "./schema";
import { checkNumbers, checkReferences, sameShape, tableExists } from "./stage-rules";
import { checkTableName, documentKeys, searchesOf, type TableInfo } from "./table";
import type { TableFactory } from "./table-factory";
import type { LogEntry } from "./write-log";

/** The label of the stage that was applied last. */
export const META_LAST_APPLIED = "last_applied_stage";

/** Rows that are copied without giving others a turn: a few milliseconds. */
const ROWS_PER_TURN = 200;
/** New rows that are put into a table that stays; for more of them the table is rebuilt beside itself. */
const MOVED_ROWS_MAX = 300;
/** How often the changes of a rebuilt table are caught up with before the last step takes the rest. */
const CATCH_UP_ROUNDS_MAX = 20;

/** What becomes of one table. */
type Staged = {
  readonly component: ComponentPath;
  readonly name: string;
  /** Which rows of `before` stay. */
  readonly keeps: TableRequest["keeps"] | null;
  /** Nothing may come into it before the end: it would be lost. */
  readonly mustBeEmpty: boolean;
  /** As it was when the stage was set; null where it did not exist. */
  readonly before: TableInfo | null;
  /** What nobody sees yet. */
  readonly hidden: TableInfo;
  rows: number;
  /** Rows of `before` that changed while they were being copied; null where they are not copied. */
  changed: Set<string> | null;
};

export type StageParts = {
  readonly store: Store;
  readonly factory: TableFactory;
  readonly committer: Committer;
  readonly loose: LooseTables;
  state(): CatalogState;
  /** Puts a new state in place, ends all snapshots of the old one and wakes everybody who watches. */
  replace(state: CatalogState): void;
  /** 16 bytes for a new id. */
  randomId(): Uint8Array;
  nextCreationTime(): number;
  onClose(): void;
};

/**
 * New contents for whole tables, written beside the live ones. Nobody sees them until `apply` puts all of them in
 * place at once; until then they can be thrown away, and a kill leaves nothing but rows to sweep.
 */
export class TableStageOf implements TableStage {
  readonly #parts: StageParts;
  readonly #tables = new Map<string, Staged>();
  /** Tables that will be gone. */
  readonly #dropped = new Map<string, { component: ComponentPath; name: string }>();
  readonly #validatorTables = new Map<ComponentPath, ValidatorTables>();

  constructor(parts: StageParts) {
    this.#parts = parts;
  }

  add(request: TableRequest): void {
    const { factory, loose } = this.#parts;
    const { component, name, number } = request;
    const before = this.#parts.state().table(component, name);
    const isEmpty = before === null || this.#isEmpty(before);
    checkTableName(name);
    if (request.mustBeEmpty === true && !isEmpty) {
      throw tableExists(name);
    }
    const base = before ?? factory.reserve(component, name);
    // Rows that stay keep their ids, and with them the number of the table.
    const takesNumber = isEmpty && number !== null && number !== base.number;
    const keeps = takesNumber ? null : (request.keeps ?? null);
    const hidden = factory.copyOf(base, keeps === null ? (number ?? base.number) : base.number);
    this.#tables.set(keyOf(component, name), {
      component,
      name,
      keeps,
      mustBeEmpty: request.mustBeEmpty === true || (takesNumber && request.keeps !== undefined),
      before,
      hidden,
      rows: 0,
      changed: null,
    });
    loose.begin(hidden);
  }

  drop(component: ComponentPath, name: string): void {
    this.#dropped.set(keyOf(component, name), { component, name });
  }

  /** Refuses what can be refused before the first row is written. */
  check(): void {
    const state = this.#parts.state();
    const staged = [...this.#tables.values()].map(({ hidden }) => hidden);
    checkNumbers(staged, state, (table) => this.#isAffected(table));
    checkReferences(staged, state, (table) => !this.#hasRowsThatStay(table));
  }

  isDeclared(component: ComponentPath, name: string): boolean {
    const row = this.#parts.store.schemas().find((schema) => schema.component === component);
    return (
      row !== undefined && parseSchema(parseJson(row.json, "The stored schema")).some((t) => t.name === name)
    );
  }

  optionalFields(component: ComponentPath, name: string): ReadonlySet<string> {
    const { validator } = this.#require(component, name).hidden;
    const fields = validator?.type === "object" ? Object.entries(validator.value) : [];
    return new Set(fields.filter(([, field]) => field.optional).map(([field]) => field));
  }

  write(component: ComponentPath, name: string, rows: readonly StagedRow[]): void {
    const staged = this.#require(component, name);
    const tables = this.#tablesAfter(component);
    this.#orFail(() =>
      this.#parts.store.atomically(() => {
        for (const row of rows) {
          try {
            this.#writeRow(staged, row, tables);
          } catch (error) {
            throw error instanceof EngineError && error.kind === "developer"
              ? developerError(error.code, `${row.label}: ${error.message}`)
              : error;
          }
        }
      }),
    );
    staged.rows += rows.length;
  }

  async apply(label: string): Promise<Timestamp> {
    try {
      for (const staged of this.#tables.values()) {
        if (this.#isRebuilt(staged)) {
          await this.#copyKept(staged);
        }
      }
      await this.#catchUp();
      const ts = this.#orFail(() => this.#switch(label));
      this.#end();
      return ts;
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  async discard(): Promise<void> {
    this.#end();
    await this.#parts.loose.sweep();
  }

  /** To be told of every commit. */
  observe(entry: LogEntry): void {
    for (const staged of this.#tables.values()) {
      for (const change of staged.changed === null ? [] : entry.changes) {
        if (change.table.tid === staged.before?.tid) {
          staged.changed?.add(change.id);
        }
      }
    }
  }

  #end(): void {
    this.#parts.loose.abandon([...this.#tables.values()].map(({ hidden }) => hidden));
    for (const staged of this.#tables.values()) {
      staged.changed = null;
    }
    this.#parts.onClose();
  }

  #require(component: ComponentPath, name: string): Staged {
    const staged = this.#tables.get(keyOf(component, name));
    if (staged === undefined) {
      throw new EngineError("internal", "TableNotStaged", `Table ${name} was not staged.`);
    }
    return staged;
  }

  #writeRow({ hidden, keeps, before }: Staged, row: StagedRow, tables: ValidatorTables): void {
    const { store } = this.#parts;
    const id = row.id ?? encodeId(hidden.number, this.#parts.randomId());
    if (tableNumberOf(id) !== hidden.number) {
      throw developerError(
        "InvalidId",
        `The _id "${id}" cannot be imported into table "${hidden.name}": it belongs to another table, or to another deployment whose number for this table differs. Import into an empty table, or replace this one.`,
      );
    }
    const isTaken = keeps !== null && before !== null && store.get(before.tid, id) !== null;
    if (isTaken || store.get(hidden.tid, id) !== null) {
      throw developerError(
        "DuplicateId",
        isTaken
          ? `Table "${hidden.name}" already has a document with the _id "${id}".`
          : `Two documents of table "${hidden.name}" have the _id "${id}".`,
      );
    }
    const document = buildDocument(row.fields, id, row.creationTime ?? this.#parts.nextCreationTime());
    enforceSchema(hidden, document.value, tables);
    this.#put(hidden, id, document, document.value);
  }

  #put(table: TableInfo, id: string, row: { size: number; text: string }, document: JsonObject): void {
    this.#parts.store.write({
      tid: table.tid,
      id,
      rid: null,
      next: { size: row.size, text: row.text },
      entries: [...documentKeys(table, id, document)].map(([xid, newKey]) => ({ xid, oldKey: null, newKey })),
      searches: searchChanges(searchesOf(table), null, document),
    });
  }

  #take(table: TableInfo, id: string, row: StoredDoc): void {
    const document = parseStored(row.text);
    const keys = documentKeys(table, id, document);
    this.#parts.store.write({
      tid: table.tid,
      id,
      rid: row.rid,
      next: null,
      entries: [...keys].map(([xid, oldKey]) => ({ xid, oldKey, newKey: null })),
      searches: searchChanges(searchesOf(table), document, null),
    });
  }

  /** Whether the rows that stay are copied to the new ones, and not the other way round. */
  #isRebuilt({ keeps, rows }: Staged): boolean {
    return keeps !== null && (keeps !== "all" || rows > MOVED_ROWS_MAX);
  }

  async #copyKept(staged: Staged): Promise<void> {
    const { before } = staged;
    if (before === null) {
      return;
    }
    staged.changed = new Set();
    const { store, committer } = this.#parts;
    let start: Key = "";
    for (;;) {
      if (committer.isClosed) {
        throw overloaded("it is shutting down");
      }
      const rows = store.scanIds(before.tid, { start, end: null }, "asc", ROWS_PER_TURN);
      this.#orFail(() =>
        store.atomically(() => {
          for (const row of rows) {
            this.#copyRow(staged, row);
          }
        }),
      );
      const last = rows.at(-1);
      if (last === undefined || rows.length < ROWS_PER_TURN) {
        return;
      }
      start = afterKey(last.key);
      await setImmediate();
    }
  }

  #copyRow({ hidden, keeps }: Staged, row: StoredDoc): void {
    const document = parseStored(row.text);
    if (typeof keeps !== "function" || keeps(document)) {
      this.#put(hidden, String(document["_id"]), row, document);
    }
  }

  /** Brings the copies up to date until little is left, which the last step takes on. */
  async #catchUp(): Promise<void> {
    for (let round = 0; round < CATCH_UP_ROUNDS_MAX; round += 1) {
      const behind = [...this.#tables.values()].filter(
        (staged) => (staged.changed?.size ?? 0) > ROWS_PER_TURN,
      );
      if (behind.length === 0) {
        return;
      }
      for (const staged of behind) {
        this.#orFail(() => this.#parts.store.atomically(() => this.#copyChanged(staged, ROWS_PER_TURN)));
        await setImmediate();
      }
    }
  }

  #copyChanged(staged: Staged, limit: number): void {
    const { store } = this.#parts;
    const ids = [...(staged.changed ?? [])].slice(0, limit);
    for (const id of ids) {
      staged.changed?.delete(id);
      const copy = store.get(staged.hidden.tid, id);
      if (copy !== null) {
        this.#take(staged.hidden, id, copy);
      }
      const current = staged.before === null ? null : store.get(staged.before.tid, id);
      if (current !== null) {
        this.#copyRow(staged, current);
      }
    }
  }

  /** One step, in which nobody else has a turn: what was accepted before it is on disk, and seen here. */
  #switch(label: string): Timestamp {
    const { store, factory, committer, loose } = this.#parts;
    committer.flushAll();
    this.check();
    const state = this.#parts.state();
    const placed: Staged[] = [];
    const removed: TableInfo[] = [];
    for (const staged of this.#tables.values()) {
      const current = state.table(staged.component, staged.name);
      this.#checkUntouched(staged, current);
      if (staged.keeps === null || this.#isRebuilt(staged)) {
        placed.push(staged);
        removed.push(...(current === null ? [] : [current]));
      }
    }
    for (const { component, name } of this.#dropped.values()) {
      const current = state.table(component, name);
      removed.push(...(current === null ? [] : [current]));
    }
    const ts = committer.exclusively(() => {
      for (const staged of this.#tables.values()) {
        this.#copyChanged(staged, Number.POSITIVE_INFINITY);
        if (!placed.includes(staged)) {
          this.#moveRows(staged);
        }
      }
      for (const table of removed) {
        store.removeTable(table.tid);
      }
      for (const { hidden } of placed) {
        addTable(store, hidden);
      }
      store.setMeta(META_LAST_APPLIED, label);
      loose.change(
        placed.map(({ hidden }) => hidden),
        removed,
      );
    });
    for (const { hidden } of placed) {
      factory.claimNumber(hidden);
    }
    const next = placed.map(({ hidden }) => hidden);
    this.#parts.replace(state.without(removed).with(next));
    return ts;
  }

  /** Others went on while the rows were written: what they did to the table must not be lost or broken. */
  #checkUntouched({ name, keeps, mustBeEmpty, before, hidden }: Staged, current: TableInfo | null): void {
    const fits = keeps === null ? current === null || sameShape(current, hidden) : current === before;
    if (!fits) {
      throw developerError(
        "ImportSchemaChanged",
        `Could not complete the import because the schema of table "${name}" changed. Avoid pushing while tables are imported.`,
      );
    }
    if (mustBeEmpty && current !== null && !this.#isEmpty(current)) {
      throw developerError(
        "ImportConflict",
        `Table "${name}" was empty when the import began and was written to meanwhile. Import again.`,
      );
    }
  }

  #moveRows({ before, hidden }: Staged): void {
    const { store } = this.#parts;
    if (before === null) {
      return;
    }
    for (const row of store.scanIds(hidden.tid, { start: "", end: null }, "asc", MOVED_ROWS_MAX + 1)) {
      const document = parseStored(row.text);
      const id = String(document["_id"]);
      if (store.get(before.tid, id) !== null) {
        throw developerError(
          "DuplicateId",
          `Table "${before.name}" already has a document with the _id "${id}".`,
        );
      }
      this.#take(hidden, id, row);
      this.#put(before, id, row, document);
    }
  }

  #isEmpty(table: TableInfo): boolean {
    return this.#parts.store.scanIds(table.tid, { start: "", end: null }, "asc", 1).length === 0;
  }

  #hasRowsThatStay(table: TableInfo): boolean {
    const staged = this.#tables.get(keyOf(table.component, table.name));
    const stays = staged === undefined ? !this.#isAffected(table) : staged.keeps !== null;
    return stays && !this.#isEmpty(table);
  }

  #isAffected({ component, name }: TableInfo): boolean {
    const key = keyOf(component, name);
    return this.#tables.has(key) || this.#dropped.has(key);
  }

  #tablesAfter(component: ComponentPath): ValidatorTables {
    let tables = this.#validatorTables.get(component);
    if (tables === undefined) {
      tables = this.#parts
        .state()
        .with([...this.#tables.values()].map(({ hidden }) => hidden))
        .validatorTables(component);
      this.#validatorTables.set(component, tables);
    }
    return tables;
  }

  /** A full disk is "overloaded", whoever wrote. */
  #orFail<Result>(body: () => Result): Result {
    try {
      return body();
    } catch (error) {
      throw writeFailure(error);
    }
  }
}

const keyOf = (component: ComponentPath, name: string): string => `${component}:${name}`;
