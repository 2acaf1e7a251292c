import { developerError } from "../errors";
import { isJsonObject, requireArray } from "../json";
import type { Interval } from "../storage/store";
import { isVisibleToFunctions } from "../transaction/catalog-state";
import {
  BY_CREATION_TIME,
  BY_ID,
  findIndex,
  type IndexInfo,
  rangeFields,
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
  readonly target: { readonly table: TableInfo; readonly index: IndexInfo } | null;
  readonly interval: Interval;
  readonly order: "asc" | "desc";
  readonly operators: readonly Operator[];
  /** The query as it was asked, for its fingerprint. */
  readonly source: JsonValue;
  readonly indexFields: readonly string[];
};

/** Looks a table up; the transaction answers, as it may just have created one. */
export type TableLookup = (name: string) => TableInfo | null;

/** Checks a query and binds it. Throws developer errors with Convex's texts. */
export function planQuery(query: JsonValue, lookup: TableLookup): QueryPlan {
  if (!isJsonObject(query) || !isJsonObject(query["source"])) {
    throw developerError("InvalidQuery", "A query must have a source.");
  }
  const source = query["source"];
  const { tableName, indexName } = namesOf(source);
  const table = isVisibleToFunctions(tableName) ? lookup(tableName) : null;
  const index = table === null ? null : findIndex(table, indexName);
  const isImplicit = indexName === BY_ID || indexName === BY_CREATION_TIME;
  if (index === null && !(table === null && isImplicit)) {
    throw developerError("IndexNotFoundError", `Index ${tableName}.${indexName} not found.`);
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

function namesOf(source: JsonObject): { tableName: string; indexName: string } {
  if (source["type"] === "FullTableScan" && typeof source["tableName"] === "string") {
    return { tableName: source["tableName"], indexName: BY_CREATION_TIME };
  }
  const name = source["indexName"];
  if (source["type"] === "Search") {
    throw developerError(
      "SearchUnsupported",
      `Search index ${String(name)} cannot be used: this backend does not support search indexes yet.`,
    );
  }
  const dot = typeof name === "string" ? name.indexOf(".") : -1;
  if (source["type"] !== "IndexRange" || typeof name !== "string" || dot < 0) {
    throw developerError("InvalidQuery", "The source of a query is malformed.");
  }
  return { tableName: name.slice(0, dot), indexName: name.slice(dot + 1) };
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
