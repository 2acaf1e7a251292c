import { parseJson, requireArray, requireObject } from "../json";
import type { JsonObject, JsonValue, Transaction } from "../types";
import type { Expression, Query } from "./model-query";
import { toJson } from "./model-value";

/** One page, and the cursors that it gives out. */
export function pageOf(
  transaction: Transaction,
  query: Query,
  request: { start: string | null; end: string | null; size: number; rowsMax: number | null },
): { shown: JsonValue; kept: { end: string; split: string | null } } {
  const answer = call(transaction, "1.0/queryPage", {
    query: queryJson(query),
    cursor: request.start,
    endCursor: request.end,
    pageSize: request.size,
    maximumRowsRead: request.rowsMax,
  });
  const page = requireObject(answer, "The page");
  const { splitCursor, continueCursor, isDone = null, pageStatus = null } = page;
  const split = typeof splitCursor === "string" ? splitCursor : null;
  return {
    shown: {
      rows: requireArray(page["page"], "The rows"),
      isDone,
      splits: split !== null,
      status: pageStatus,
    },
    kept: { end: String(continueCursor), split },
  };
}

/** One call, with JSON on both sides. */
export function call(transaction: Transaction, op: string, args: JsonObject): JsonValue {
  return parseJson(transaction.call(op, JSON.stringify(args)), op);
}

/** Starts a query; answers its number. */
export function openQuery(transaction: Transaction, query: Query): JsonValue {
  const answer = call(transaction, "1.0/queryStream", { query: queryJson(query) });
  return requireObject(answer, "The answer")["queryId"] ?? null;
}

/** The next row; null at the end. */
export function nextOf(transaction: Transaction, queryId: JsonValue): JsonValue {
  const next = requireObject(call(transaction, "1.0/queryStreamNext", { queryId }), "The answer");
  return next["done"] === true ? null : (next["value"] ?? null);
}

/** A query on the wire. */
export function queryJson({ table, index, range, order, operators }: Query): JsonObject {
  return {
    source:
      index === null
        ? { type: "FullTableScan", tableName: table, order }
        : {
            type: "IndexRange",
            indexName: `${table}.${index}`,
            range: range.map(({ type, field, value }) => ({
              type,
              fieldPath: field,
              value: value === undefined ? { $undefined: null } : toJson(value),
            })),
            order,
          },
    operators: operators.map(
      (operator): JsonObject =>
        "limit" in operator ? { limit: operator.limit } : { filter: expressionJson(operator.filter) },
    ),
  };
}

function expressionJson(expression: Expression): JsonObject {
  if ("field" in expression) return { $field: expression.field };
  if ("literal" in expression) {
    return { $literal: expression.literal === undefined ? { $undefined: null } : toJson(expression.literal) };
  }
  if ("all" in expression) return { [expression.all]: expression.parts.map(expressionJson) };
  if ("one" in expression) return { [expression.one]: expressionJson(expression.part) };
  return { [expression.two]: [expressionJson(expression.left), expressionJson(expression.right)] };
}
