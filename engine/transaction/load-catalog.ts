import { EngineError } from "../errors";
import { parseJson } from "../json";
import type { IndexRow, Store } from "../storage/store";
import { SYSTEM_TABLES } from "../system-tables";
import { encodeKey } from "../values/key";
import { CatalogState } from "./catalog-state";
import { addTable } from "./committer";
import { parseStored } from "./document";
import { parseSchema } from "./schema";
import {
  BY_CREATION_TIME,
  BY_ID,
  entryKey,
  type IndexInfo,
  indexOfRow,
  indexRow,
  isSystemName,
  type SearchInfo,
  type TableInfo,
  type UnreadyIndex,
} from "./table";
import type { TableFactory } from "./table-factory";

/** Reads the catalog from disk. */
export function loadCatalog(store: Store): CatalogState {
  const validators = new Map(
    store
      .schemas()
      .flatMap(({ component, json }) =>
        parseSchema(parseJson(json, "The stored schema")).map(
          (table) => [`${component}:${table.name}`, table.validator] as const,
        ),
      ),
  );
  const rows = new Map<number, IndexRow[]>();
  for (const row of store.indexes()) {
    const ofTable = rows.get(row.tid) ?? [];
    ofTable.push(row);
    rows.set(row.tid, ofTable);
  }
  return new CatalogState(
    store.tables().map(
      (table): TableInfo => ({
        ...table,
        ...sortIndexes(table.name, rows.get(table.tid) ?? []),
        validator: validators.get(`${table.component}:${table.name}`) ?? null,
      }),
    ),
  );
}

type TableIndexes = Pick<TableInfo, "byId" | "byCreationTime" | "indexes" | "searches" | "unready">;

function sortIndexes(table: string, rows: readonly IndexRow[]): TableIndexes {
  const indexes = new Map<string, IndexInfo>();
  const searches = new Map<string, SearchInfo>();
  const unready: UnreadyIndex[] = [];
  for (const row of rows) {
    const index = indexOfRow(row);
    if (row.state !== "live") {
      unready.push({ index, state: row.state });
    } else if (index.kind === "search") {
      searches.set(index.name, index);
    } else {
      indexes.set(index.name, index);
    }
  }
  const byId = indexes.get(BY_ID);
  const byCreationTime = indexes.get(BY_CREATION_TIME);
  if (byId === undefined || byCreationTime === undefined) {
    throw new EngineError("internal", "DatabaseDamaged", `Table ${table} lacks its own indexes.`);
  }
  indexes.delete(BY_ID);
  indexes.delete(BY_CREATION_TIME);
  return { byId, byCreationTime, indexes, searches, unready };
}

/** Rows of a system table that are indexed anew at a time. */
const ROWS_PER_PAGE = 500;

/**
 * Makes the system tables on disk what `SYSTEM_TABLES` says: creates those of the app, and rebuilds the indexes of
 * those that an earlier version of the engine declared otherwise. Answers the state that follows.
 */
export function settleSystemTables(store: Store, state: CatalogState, factory: TableFactory): CatalogState {
  const settled: TableInfo[] = [];
  store.atomically(() => {
    for (const { name } of SYSTEM_TABLES) {
      if (state.table("", name) === null) {
        const table = factory.reserve("", name);
        addTable(store, table);
        settled.push(table);
      }
    }
    for (const table of state.tables()) {
      const declared = SYSTEM_TABLES.find((system) => system.name === table.name);
      if (isSystemName(table.name) && declared !== undefined) {
        const settledTable = settleIndexes(store, table, declared.indexes, factory);
        if (settledTable !== table) {
          settled.push(settledTable);
        }
      }
    }
  });
  return settled.length === 0 ? state : state.with(settled);
}

function settleIndexes(
  store: Store,
  table: TableInfo,
  declared: { readonly [name: string]: readonly string[] },
  factory: TableFactory,
): TableInfo {
  const indexes = new Map<string, IndexInfo>();
  const added: IndexInfo[] = [];
  for (const [name, fields] of Object.entries(declared)) {
    const existing = table.indexes.get(name);
    const isSame = existing !== undefined && existing.fields.join() === fields.join();
    const index = isSame ? existing : factory.index(name, fields);
    indexes.set(name, index);
    if (!isSame) {
      added.push(index);
    }
  }
  const dropped = [...table.indexes.values()].filter((index) => indexes.get(index.name) !== index);
  if (added.length === 0 && dropped.length === 0) {
    return table;
  }
  for (const { xid } of dropped) {
    store.removeIndex(xid);
    store.dropEntries(xid, Number.MAX_SAFE_INTEGER);
  }
  for (const index of added) {
    store.addIndex(indexRow(table.tid, index, "live", null));
  }
  fillIndexes(store, table, added);
  return { ...table, indexes };
}

function fillIndexes(store: Store, table: TableInfo, added: readonly IndexInfo[]): void {
  let afterRid = 0;
  for (;;) {
    const rows = store.page(table.tid, afterRid, ROWS_PER_PAGE);
    for (const { id, rid, text } of rows) {
      const document = parseStored(text);
      const tail = encodeKey(document["_creationTime"]) + encodeKey(id);
      for (const index of added) {
        store.putEntry(index.xid, entryKey(index, document, tail), rid);
      }
      afterRid = rid;
    }
    if (rows.length < ROWS_PER_PAGE) {
      return;
    }
  }
}
