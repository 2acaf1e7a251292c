import { developerError, EngineError } from "../errors";
import { isJsonObject } from "../json";
import { IndexScan } from "../query/scan";
import type { ComponentPath, JsonObject, JsonValue, SystemRow, SystemRows } from "../types";
import { setField } from "../values/encoded";
import { tableNumberOf } from "../values/id";
import { afterPrefix, encodeKey, encodeKeys } from "../values/key";
import { parseStored } from "./document";
import { findIndex, isSystemName, type TableInfo } from "./table";
import type { EngineTransaction } from "./transaction";

/** The engine's own rows, read and written in a transaction of a function or of the engine. */
export class SystemRowsOf implements SystemRows {
  readonly #transaction: EngineTransaction;

  constructor(transaction: EngineTransaction) {
    this.#transaction = transaction;
  }

  get(id: string, component: ComponentPath = ""): SystemRow | null {
    const number = tableNumberOf(id);
    const table = number === null ? null : this.#transaction.tableByNumber(component, number);
    if (table === null || !isSystemName(table.name)) {
      return null;
    }
    const version = this.#transaction.read(table, id);
    return version === null ? null : toRow(version.text);
  }

  list(
    name: string,
    indexName: string,
    options: {
      equals?: readonly JsonValue[];
      after?: JsonValue;
      upTo?: JsonValue;
      order?: "asc" | "desc";
      limit: number;
      component?: ComponentPath;
    },
  ): SystemRow[] {
    const table = this.#table(options.component ?? "", name);
    if (table === null) {
      return [];
    }
    const index = findIndex(table, indexName);
    if (index === null) {
      throw new EngineError("internal", "IndexNotFoundError", `Index ${name}.${indexName} not found.`);
    }
    const prefix = encodeKeys(options.equals ?? []);
    const start = options.after === undefined ? prefix : afterPrefix(prefix + encodeKey(options.after));
    if (start === null) {
      return [];
    }
    const end = afterPrefix(options.upTo === undefined ? prefix : prefix + encodeKey(options.upTo));
    const scan = new IndexScan(
      this.#transaction.scanSource(table),
      table,
      index,
      { start, end },
      options.order ?? "asc",
      options.limit,
    );
    const rows: SystemRow[] = [];
    while (rows.length < options.limit) {
      const row = scan.next();
      if (row === null) {
        break;
      }
      rows.push(toRow(row.version.text));
    }
    return rows;
  }

  insert(name: string, value: JsonObject, component: ComponentPath = ""): string {
    if (!isSystemName(name)) {
      throw new EngineError("internal", "NotASystemTable", `${name} is not a table of the engine.`);
    }
    return this.#transaction.insertRow(this.#transaction.ensureTable(component, name), value);
  }

  patch(id: string, value: { [key: string]: JsonValue | undefined }, component: ComponentPath = ""): void {
    const { table, version } = this.#require(id, component);
    const fields = parseStored(version.text);
    for (const [name, field] of Object.entries(value)) {
      if (field === undefined) {
        delete fields[name];
      } else {
        setField(fields, name, field);
      }
    }
    this.#transaction.writeRow(table, id, version, fields);
  }

  delete(id: string, component: ComponentPath = ""): void {
    const { table, version } = this.#require(id, component);
    this.#transaction.deleteRow(table, id, version);
  }

  #require(id: string, component: ComponentPath) {
    const number = tableNumberOf(id);
    const table = number === null ? null : this.#transaction.tableByNumber(component, number);
    const version = table === null ? null : this.#transaction.read(table, id);
    if (table === null || version === null || !isSystemName(table.name)) {
      throw developerError("NonexistentDocument", `There is no system row with the id ${id}.`);
    }
    return { table, version };
  }

  #table(component: ComponentPath, name: string): TableInfo | null {
    return this.#transaction.table(component, name);
  }
}

function toRow(text: string): SystemRow {
  const document = parseStored(text);
  const { _id: id, _creationTime: creationTime } = document;
  if (isJsonObject(document) && typeof id === "string" && typeof creationTime === "number") {
    return { ...document, _id: id, _creationTime: creationTime };
  }
  throw new EngineError("internal", "DatabaseDamaged", "A stored row has no _id or no _creationTime.");
}
