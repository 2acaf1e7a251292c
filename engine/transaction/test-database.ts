import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Clock } from "../clock";
import { isJsonObject, parseJson, requireArray, requireObject } from "../json";
import type { BeginOptions, Database, JsonObject, JsonValue, Transaction } from "../types";
import { type DatabaseOptions, openDatabase } from "./database";

/** A clock that stands still until it is told otherwise. */
export class ManualClock implements Clock {
  ms = 1_700_000_000_000;
  nowMs = (): number => this.ms;
  randomBytes = (length: number): Uint8Array => randomBytes(length);
  /** Nothing in the data layer waits for a time. */
  setTimer(): never {
    throw new Error("The data layer sets no timers.");
  }
}

export type TestDatabase = {
  readonly db: Database;
  readonly clock: ManualClock;
  readonly dataDir: string;
  begin(kind: "query" | "mutation", options?: Partial<BeginOptions>): Transaction;
  /** Runs `body` in a mutation and commits it. */
  mutate<Result>(body: (transaction: Transaction) => Result): Promise<Result>;
  /** Opens the same directory again, after closing it. */
  reopen(): Promise<TestDatabase>;
  close(): Promise<void>;
};

/** A database in a new directory, which goes with `close`. Without fsync: what is proved here needs none. */
export async function openTestDatabase(options: Partial<DatabaseOptions> = {}): Promise<TestDatabase> {
  const clock = new ManualClock();
  const dataDir = options.dataDir ?? mkdtempSync(path.join(tmpdir(), "engine-"));
  const db = await openDatabase({ clock, fsync: "off", log: throwLine, ...options, dataDir });
  const begin = (kind: "query" | "mutation", more: Partial<BeginOptions> = {}) =>
    db.begin({ kind, nowMs: clock.nowMs(), ...more });
  return {
    db,
    clock,
    dataDir,
    begin,
    mutate: async (body) => {
      const transaction = begin("mutation");
      const result = body(transaction);
      await db.commit(transaction);
      return result;
    },
    reopen: async () => {
      await db.close();
      return openTestDatabase({ ...options, dataDir });
    },
    close: async () => {
      await db.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function throwLine(line: string): void {
  throw new Error(line);
}

/** One database call, with JSON on both sides. */
export function call(transaction: Transaction, op: string, args: JsonObject, component?: string): JsonValue {
  return parseJson(transaction.call(op, JSON.stringify(args), component), op);
}

export function insert(transaction: Transaction, table: string, value: JsonObject): string {
  return String(requireObject(call(transaction, "1.0/insert", { table, value }), "The answer")["_id"]);
}

export const get = (transaction: Transaction, id: string): JsonValue =>
  call(transaction, "1.0/get", { id, isSystem: false });

export const patch = (transaction: Transaction, id: string, value: JsonObject): JsonValue =>
  call(transaction, "1.0/shallowMerge", { id, value });

export const remove = (transaction: Transaction, id: string): JsonValue =>
  call(transaction, "1.0/remove", { id });

export const fullScan = (tableName: string, order: "asc" | "desc" | null = null): JsonObject => ({
  type: "FullTableScan",
  tableName,
  order,
});

export const indexRange = (
  indexName: string,
  range: JsonObject[] = [],
  order: "asc" | "desc" | null = null,
): JsonObject => ({ type: "IndexRange", indexName, range, order });

/** All rows of a query, as `collect()` and `take(limit)` fetch them. */
export function collect(
  transaction: Transaction,
  source: JsonObject,
  operators: JsonObject[] = [],
  component?: string,
): JsonObject[] {
  const { queryId } = requireObject(
    call(transaction, "1.0/queryStream", { query: { source, operators } }, component),
    "The answer",
  );
  const rows: JsonObject[] = [];
  for (;;) {
    const next = requireObject(
      call(transaction, "1.0/queryStreamNext", { queryId: queryId ?? null }),
      "The answer",
    );
    if (next["done"] === true || !isJsonObject(next["value"])) {
      return rows;
    }
    rows.push(next["value"]);
  }
}

export type TestPage = {
  rows: JsonObject[];
  isDone: boolean;
  cursor: string;
  split: string | null;
  status: string | null;
};

export function paginate(
  transaction: Transaction,
  source: JsonObject,
  args: JsonObject,
  operators: JsonObject[] = [],
): TestPage {
  const page = requireObject(
    call(transaction, "1.0/queryPage", { query: { source, operators }, cursor: null, ...args }),
    "The page",
  );
  const { splitCursor, pageStatus } = page;
  return {
    rows: requireArray(page["page"], "The rows").map((row) => requireObject(row, "A row")),
    isDone: page["isDone"] === true,
    cursor: String(page["continueCursor"]),
    split: typeof splitCursor === "string" ? splitCursor : null,
    status: typeof pageStatus === "string" ? pageStatus : null,
  };
}

type TestTable = {
  indexes?: { [name: string]: string[] };
  staged?: { [name: string]: string[] };
  /** The field that is searched, then those for filters. */
  searches?: { [name: string]: string[] };
  stagedSearches?: { [name: string]: string[] };
  documentType?: JsonObject;
};

/** The schema JSON of tables with indexes; documents are checked where `documentType` is given. */
export function schemaOf(tables: { [table: string]: TestTable }): JsonObject {
  return {
    schemaValidation: true,
    tables: Object.entries(tables).map(([tableName, table]) => ({
      tableName,
      indexes: dbIndexes(table.indexes),
      stagedDbIndexes: dbIndexes(table.staged),
      searchIndexes: searchIndexes(table.searches),
      stagedSearchIndexes: searchIndexes(table.stagedSearches),
      vectorIndexes: [],
      documentType: table.documentType ?? { type: "any" },
    })),
  };
}

const dbIndexes = (indexes: { [name: string]: string[] } = {}): JsonObject[] =>
  Object.entries(indexes).map(([indexDescriptor, fields]) => ({ indexDescriptor, fields }));

const searchIndexes = (indexes: { [name: string]: string[] } = {}): JsonObject[] =>
  Object.entries(indexes).map(([indexDescriptor, [searchField = "", ...filterFields]]) => ({
    indexDescriptor,
    searchField,
    filterFields,
  }));

/** A search, with its equalities. */
export const search = (
  indexName: string,
  field: string,
  text: string,
  equals: { [field: string]: JsonValue } = {},
): JsonObject => ({
  type: "Search",
  indexName,
  filters: [
    { type: "Search", fieldPath: field, value: text },
    ...Object.entries(equals).map(([fieldPath, value]) => ({ type: "Eq", fieldPath, value })),
  ],
});

/** The validator of an object with required fields of the named types. */
export const objectType = (fields: { [name: string]: string }): JsonObject => ({
  type: "object",
  value: Object.fromEntries(
    Object.entries(fields).map(([name, type]) => [name, { fieldType: { type }, optional: false }]),
  ),
});
