import { SYSTEM_TABLES } from "../system-tables";
import type { ValidatorTables } from "../values/validator";
import { isSystemName, type TableInfo } from "./table";

/** Numbers up to this one are the engine's own (Convex reserves the same range). */
export const SYSTEM_TABLE_NUMBER_MAX = 10_000;

/**
 * The system tables that functions may name in `v.id`. They have one number in all components, so that it is known
 * before a component stores its first file.
 */
const SYSTEM_NUMBERS: ReadonlyMap<string, number> = new Map(
  SYSTEM_TABLES.filter((table) => table.visible).map((table) => [table.name, table.number]),
);
const SYSTEM_NAMES: ReadonlyMap<number, string> = new Map(
  [...SYSTEM_NUMBERS].map(([name, number]) => [number, name]),
);

/** Whether functions may know of a table: their own, and those that `db.system` shows. */
export const isVisibleToFunctions = (name: string): boolean =>
  !isSystemName(name) || SYSTEM_NUMBERS.has(name);

/**
 * Which tables there are, at one moment. Never changed: a commit that adds tables makes a new one, and transactions
 * keep the one that they began with.
 */
export class CatalogState {
  readonly #byName: ReadonlyMap<string, TableInfo>;
  readonly #byNumber: ReadonlyMap<string, TableInfo>;

  constructor(tables: Iterable<TableInfo>) {
    const all = [...tables];
    this.#byName = new Map(all.map((table) => [`${table.component}:${table.name}`, table]));
    this.#byNumber = new Map(all.map((table) => [`${table.component}:${table.number}`, table]));
  }

  table(component: string, name: string): TableInfo | null {
    return this.#byName.get(`${component}:${name}`) ?? null;
  }

  tableByNumber(component: string, number: number): TableInfo | null {
    return this.#byNumber.get(`${component}:${number}`) ?? null;
  }

  /** What ids of a table begin with in a component; null where there is no such table. */
  tableNumber(component: string, name: string): number | null {
    return this.table(component, name)?.number ?? SYSTEM_NUMBERS.get(name) ?? null;
  }

  tables(): Iterable<TableInfo> {
    return this.#byName.values();
  }

  /** The same with some tables added or replaced. */
  with(tables: readonly TableInfo[]): CatalogState {
    const replaced = new Map(this.#byName);
    for (const table of tables) {
      replaced.set(`${table.component}:${table.name}`, table);
    }
    return new CatalogState(replaced.values());
  }

  /** The same without some tables. */
  without(tables: readonly TableInfo[]): CatalogState {
    const gone = new Set(tables.map((table) => table.tid));
    return new CatalogState([...this.#byName.values()].filter((table) => !gone.has(table.tid)));
  }

  /** What `v.id(table)` is checked against in a component. */
  validatorTables(component: string): ValidatorTables {
    return {
      tableNumber: (name) => this.tableNumber(component, name),
      tableName: (number) => this.tableByNumber(component, number)?.name ?? SYSTEM_NAMES.get(number) ?? null,
    };
  }
}
