import { SYSTEM_TABLES } from "../system-tables";
import type { ComponentPath } from "../types";
import { type CatalogState, SYSTEM_TABLE_NUMBER_MAX } from "./catalog-state";
import {
  BY_CREATION_TIME,
  BY_ID,
  type IndexInfo,
  indexesOf,
  indexInfo,
  isSystemName,
  type SearchInfo,
  searchInfo,
  type TableInfo,
} from "./table";

/**
 * Hands out the numbers of new tables and indexes. A number that was handed out for a table that was never committed
 * stays with the name, so that transactions that create one table at once agree, and only one of them commits.
 */
export class TableFactory {
  readonly #reserved = new Map<string, TableInfo>();
  readonly #lastNumber = new Map<ComponentPath, number>();
  #lastTid = 0;
  /** 0 is the pseudo index of table names (`CATALOG_XID`). */
  #lastXid = 0;

  constructor(catalog: CatalogState) {
    for (const table of catalog.tables()) {
      this.#lastTid = Math.max(this.#lastTid, table.tid);
      for (const { index } of indexesOf(table)) {
        this.#lastXid = Math.max(this.#lastXid, index.xid);
      }
      const last = this.#lastNumber.get(table.component) ?? SYSTEM_TABLE_NUMBER_MAX;
      this.#lastNumber.set(table.component, Math.max(last, table.number));
    }
  }

  /** A table that does not exist yet, with the indexes of a system table if it is one. */
  reserve(component: ComponentPath, name: string): TableInfo {
    const slot = `${component}:${name}`;
    let table = this.#reserved.get(slot);
    if (table === undefined) {
      table = this.#create(component, name);
      this.#reserved.set(slot, table);
    }
    return table;
  }

  /** A table like `table` with numbers of its own, for contents that shall take its place. */
  copyOf(table: TableInfo, number: number): TableInfo {
    this.#lastTid += 1;
    return {
      ...table,
      tid: this.#lastTid,
      number,
      byId: this.index(BY_ID, []),
      byCreationTime: this.index(BY_CREATION_TIME, []),
      indexes: new Map(
        [...table.indexes.values()].map(({ name, fields }) => [name, this.index(name, fields)]),
      ),
      searches: new Map(
        [...table.searches.values()].map((search) => [search.name, this.#likeSearch(search)]),
      ),
      unready: table.unready.map(({ index, state }) => ({
        index: index.kind === "db" ? this.index(index.name, index.fields) : this.#likeSearch(index),
        state,
      })),
    };
  }

  /** A table came into being with a number from elsewhere: no other one may get it. */
  claimNumber({ component, name, number }: TableInfo): void {
    const last = this.#lastNumber.get(component) ?? SYSTEM_TABLE_NUMBER_MAX;
    this.#lastNumber.set(component, Math.max(last, number));
    for (const [slot, table] of this.#reserved) {
      if (table.component === component && (table.number === number || table.name === name)) {
        this.#reserved.delete(slot);
      }
    }
  }

  /** Numbers of tables and indexes that are on disk but in no catalog, and must not be given again. */
  skip(tids: Iterable<number>, xids: Iterable<number>): void {
    for (const tid of tids) {
      this.#lastTid = Math.max(this.#lastTid, tid);
    }
    for (const xid of xids) {
      this.#lastXid = Math.max(this.#lastXid, xid);
    }
  }

  index(name: string, fields: readonly string[]): IndexInfo {
    this.#lastXid += 1;
    return indexInfo(this.#lastXid, name, fields);
  }

  search(name: string, searchField: string, filterFields: readonly string[]): SearchInfo {
    this.#lastXid += 1;
    return searchInfo(this.#lastXid, name, searchField, filterFields);
  }

  #likeSearch({ name, searchField, filterFields }: SearchInfo): SearchInfo {
    return this.search(name, searchField, filterFields);
  }

  #create(component: ComponentPath, name: string): TableInfo {
    const system = isSystemName(name) ? SYSTEM_TABLES.find((table) => table.name === name) : undefined;
    this.#lastTid += 1;
    return {
      tid: this.#lastTid,
      component,
      name,
      number: system?.number ?? this.#nextNumber(component),
      byId: this.index(BY_ID, []),
      byCreationTime: this.index(BY_CREATION_TIME, []),
      indexes: new Map(
        Object.entries(system?.indexes ?? {}).map(([index, fields]) => [index, this.index(index, fields)]),
      ),
      searches: new Map(),
      unready: [],
      validator: null,
    };
  }

  #nextNumber(component: ComponentPath): number {
    const number = (this.#lastNumber.get(component) ?? SYSTEM_TABLE_NUMBER_MAX) + 1;
    this.#lastNumber.set(component, number);
    return number;
  }
}
