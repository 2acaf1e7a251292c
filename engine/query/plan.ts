import { developerError, type EngineError } from "../errors";
import { isJsonObject, requireArray } from "../json";
import { planSearch } from "../search/search-plan";
import type { SearchRead } from "../search/search-reads";
import type { Interval } from "../storage/store";
import { isVisibleToFunctions } from "../transaction/catalog-state";
import {
  BY_CREATION_TIME,
  BY_ID,
  findIndex,
  type IndexInfo,
  indexFields,
  rangeFields,
  type SearchInfo,
  type TableInfo,
} from "../transaction/table";
import type { JsonObject, JsonValue } from "../types";
import { compileExpression, type Expression } from "./expression";
import { compileRange, EVERYTHING } from "./range";

/** Operators of one query (`MAX_QUERY_OPERATORS` of `convex/server`). */
const OPERATORS_MAX = 256;

export type Operator = { readonly filter: Expression } | { readonly limit: number };

/** A query of `convex/server`, checked and bound to an index. */
export type QueryPlan = {
  readonly tableName: string;
  /** Null where the table does not exist yet: the result is empty until it does. */
  readonly target: IndexTarget | SearchTarget | null;
  readonly interval: Interval;
  readonly order: "asc" | "desc";
  readonly operators: readonly Operator[];
  /** The query as it was asked, for its fingerprint. */
  readonly source: JsonValue;
  readonly indexFields: readonly string[];
};

export type IndexTarget = { readonly table: TableInfo; readonly index: IndexInfo };
export type SearchTarget = {
  readonly table: TableInfo;
  readonly search: SearchInfo;
  readonly read: SearchRead;
};

/** Looks a table up; the transaction answers, as it may just have created one. */
export type TableLookup = (name: string) => TableInfo | null;

/** Checks a query and binds it. Throws developer errors with Convex's texts. */
export function planQuery(query: JsonValue, lookup: TableLookup): QueryPlan {
  if (!isJsonObject(query) || !isJsonObject(query["source"])) {
    throw developerError("InvalidQuery", "A query must have a source.");
  }
  const source = query["source"];
  if (source["type"] === "Search") {
    return planSearchQuery(query, source, lookup);
  }
  const { tableName, indexName } = namesOf(source);
  const table = isVisibleToFunctions(tableName) ? lookup(tableName) : null;
  const index = table === null ? null : findIndex(table, indexName);
  const isImplicit = indexName === BY_ID || indexName === BY_CREATION_TIME;
  if (index === null && !(table === null && isImplicit)) {
    if (table?.searches.has(indexName) === true) {
      throw developerError(
        "IndexNotADatabaseIndex",
        `Index ${tableName}.${indexName} is not a database index`,
      );
    }
    throw unusableIndex(table, tableName, indexName);
  }
  const fields = index === null ? implicitFields(indexName) : rangeFields(index);
  const order = source["order"] === "desc" ? "desc" : "asc";
  return {
    tableName,
    target: table === null || index === null ? null : { table, index },
    interval:
      source["type"] === "IndexRange"
        ? compileRange(source["range"] ?? [], `${tableName}.${indexName}`, fields)
        : EVERYTHING,
    order,
    operators: parseOperators(query["operators"] ?? []),
    // A query that leaves the order out is the same as one that says "asc": a cursor of one fits the other.
    source: { ...query, source: { ...source, order } },
    indexFields: fields,
  };
}

function planSearchQuery(query: JsonObject, source: JsonObject, lookup: TableLookup): QueryPlan {
  const { tableName, indexName } = splitName(source["indexName"]);
  const table = isVisibleToFunctions(tableName) ? lookup(tableName) : null;
  const search = table?.searches.get(indexName);
  if (table === null || search === undefined) {
    if (table !== null && findIndex(table, indexName) !== null) {
      throw developerError(
        "IndexNotASearchIndexError",
        `Index ${tableName}.${indexName} is not a search index`,
      );
    }
    throw unusableIndex(table, tableName, indexName);
  }
  const read = planSearch(source["filters"] ?? [], `${tableName}.${indexName}`, search);
  return {
    tableName,
    target: { table, search, read },
    interval: EVERYTHING,
    order: "asc",
    operators: parseOperators(query["operators"] ?? []),
    source: query,
    indexFields: indexFields(search),
  };
}

/** Why an index that a query names cannot be used. */
function unusableIndex(table: TableInfo | null, tableName: string, indexName: string): EngineError {
  const unready = table?.unready.filter(({ index }) => index.name === indexName) ?? [];
  if (unready.some(({ state }) => state === "staged")) {
    return developerError(
      "IndexStagedError",
      `Index ${tableName}.${indexName} is currently staged and not available to query until it is enabled.`,
    );
  }
  if (unready.length > 0) {
    return developerError(
      "IndexBackfillingError",
      `Index ${tableName}.${indexName} is currently backfilling and not available to query yet.`,
    );
  }
  return developerError("IndexNotFoundError", `Index ${tableName}.${indexName} not found.`);
}

function splitName(name: JsonValue | undefined): { tableName: string; indexName: string } {
  const dot = typeof name === "string" ? name.indexOf(".") : -1;
  if (typeof name !== "string" || dot < 0) {
    throw developerError("InvalidQuery", "The source of a query is malformed.");
  }
  return { tableName: name.slice(0, dot), indexName: name.slice(dot + 1) };
}

function namesOf(source: JsonObject): { tableName: string; indexName: string } {
  if (source["type"] === "FullTableScan" && typeof source["tableName"] === "string") {
    return { tableName: source["tableName"], indexName: BY_CREATION_TIME };
  }
  if (source["type"] !== "IndexRange") {
    throw developerError("InvalidQuery", "The source of a query is malformed.");
  }
  return splitName(source["indexName"]);
}

const implicitFields = (indexName: string): string[] =>
  indexName === BY_ID ? ["_id"] : ["_creationTime", "_id"];

function parseOperators(json: JsonValue): Operator[] {
  const operators = requireArray(json, "The operators of a query");
  if (operators.length > OPERATORS_MAX) {
    throw developerError(
      "TooManyOperators",
      `Query has too many operators: ${operators.length} (maximum ${OPERATORS_MAX}).`,
    );
  }
  return operators.map((operator) => {
    const filter = isJsonObject(operator) ? operator["filter"] : undefined;
    if (filter !== undefined) {
      return { filter: compileExpression(filter) };
    }
    const limit = isJsonObject(operator) ? operator["limit"] : undefined;
    if (typeof limit === "number" && Number.isInteger(limit) && limit >= 0) {
      return { limit };
    }
    throw developerError("InvalidQuery", "An operator of a query must be a filter or a limit.");
  });
}
