import { developerError } from "../errors";
import { valueAt } from "../transaction/table";
import type { JsonObject, JsonValue } from "../types";
import { displayValue } from "../values/display";
import {
  checkValue,
  encodeFloat64,
  encodeInt64,
  float64Of,
  int64Of,
  isUndefinedMarker,
  kindOf,
} from "../values/encoded";
import { encodeKey } from "../values/key";

/** A filter, ready to run on documents. `undefined` stands for a missing field. */
export type Expression = (document: JsonObject) => JsonValue | undefined;

/**
 * Compiles the expression language of `.filter()` (`convex/server`, filter builder). Comparison is by the order of
 * values across all types, int64 and float64 never being equal; arithmetic takes two numbers of one type.
 * Throws a developer error `InvalidExpression` where `json` is not an expression.
 */
export function compileExpression(json: JsonValue): Expression {
  const [operator, operand] = onlyEntry(json);
  switch (operator) {
    case "$field":
      return compileField(operand);
    case "$literal": {
      const literal = isUndefinedMarker(operand) ? undefined : checkValue(operand).value;
      return () => literal;
    }
    case "$and":
    case "$or": {
      const parts = compileAll(operand, operator);
      const decisive = operator === "$or";
      return (document) =>
        parts.some((part) => toBoolean(part(document)) === decisive) ? decisive : !decisive;
    }
    case "$not": {
      const part = compileExpression(operand);
      return (document) => !toBoolean(part(document));
    }
    case "$neg": {
      const part = compileExpression(operand);
      return (document) => negate(part(document));
    }
    default:
      return compileBinary(operator, operand);
  }
}

/** The outcome of a filter on a document. Throws where it is neither true nor false. */
export const passes = (filter: Expression, document: JsonObject): boolean => toBoolean(filter(document));

const COMPARISONS: { readonly [operator: string]: (order: number) => boolean } = {
  $eq: (order) => order === 0,
  $neq: (order) => order !== 0,
  $lt: (order) => order < 0,
  $lte: (order) => order <= 0,
  $gt: (order) => order > 0,
  $gte: (order) => order >= 0,
};

type Arithmetic = { name: string; floats(l: number, r: number): number; ints(l: bigint, r: bigint): bigint };

const ARITHMETIC: { readonly [operator: string]: Arithmetic } = {
  $add: { name: "add", floats: (l, r) => l + r, ints: (l, r) => l + r },
  $sub: { name: "subtract", floats: (l, r) => l - r, ints: (l, r) => l - r },
  $mul: { name: "multiply", floats: (l, r) => l * r, ints: (l, r) => l * r },
  $div: { name: "divide", floats: (l, r) => l / r, ints: (l, r) => l / r },
  $mod: { name: "mod", floats: (l, r) => l % r, ints: (l, r) => l % r },
};

function compileBinary(operator: string, operand: JsonValue): Expression {
  const [left, right, ...rest] = compileAll(operand, operator);
  if (left === undefined || right === undefined || rest.length > 0) {
    throw invalid(`${operator} takes two operands`);
  }
  const comparison = COMPARISONS[operator];
  if (comparison !== undefined) {
    return (document) => comparison(compare(left(document), right(document)));
  }
  const arithmetic = ARITHMETIC[operator];
  if (arithmetic !== undefined) {
    return (document) => calculate(arithmetic, left(document), right(document));
  }
  throw invalid(`there is no operator ${operator}`);
}

function compileField(operand: JsonValue): Expression {
  if (typeof operand !== "string") {
    throw invalid("$field takes a field path");
  }
  const path = operand.split(".");
  // Keys that begin with "$" spell leaves (`$integer`); they are no fields.
  return path.some((step) => step.startsWith("$")) ? () => undefined : (document) => valueAt(document, path);
}

function compileAll(operand: JsonValue, operator: string): Expression[] {
  if (!Array.isArray(operand)) {
    throw invalid(`${operator} takes a list of operands`);
  }
  return operand.map(compileExpression);
}

function onlyEntry(json: JsonValue): [string, JsonValue] {
  const entries =
    typeof json === "object" && json !== null && !Array.isArray(json) ? Object.entries(json) : [];
  const [entry, ...rest] = entries;
  if (entry === undefined || rest.length > 0) {
    throw invalid("an expression is an object with one operator");
  }
  return entry;
}

/** Negative, zero or positive, by the order of values. */
function compare(left: JsonValue | undefined, right: JsonValue | undefined): number {
  if (left === right) {
    return 0;
  }
  if (typeof left === "number" && typeof right === "number") {
    return left - right;
  }
  const leftKey = encodeKey(left);
  const rightKey = encodeKey(right);
  return leftKey < rightKey ? -1 : leftKey > rightKey ? 1 : 0;
}

function calculate(
  operation: Arithmetic,
  left: JsonValue | undefined,
  right: JsonValue | undefined,
): JsonValue {
  const leftNumber = toNumber(left);
  const rightNumber = toNumber(right);
  if (typeof leftNumber === "bigint" && typeof rightNumber === "bigint") {
    if (rightNumber === 0n && (operation.name === "divide" || operation.name === "mod")) {
      throw developerError("EvalError", `Cannot ${operation.name} ${displayValue(left)} by zero`);
    }
    return encodeInt64(operation.ints(leftNumber, rightNumber));
  }
  if (typeof leftNumber === "number" && typeof rightNumber === "number") {
    return encodeFloat64(operation.floats(leftNumber, rightNumber));
  }
  throw developerError("EvalError", `Cannot ${operation.name} ${describe(left)} and ${describe(right)}`);
}

function negate(value: JsonValue | undefined): JsonValue {
  const number = toNumber(value);
  if (number === null) {
    throw developerError("EvalError", `Cannot negate ${describe(value)}`);
  }
  return typeof number === "bigint" ? encodeInt64(-number) : encodeFloat64(-number);
}

function toNumber(value: JsonValue | undefined): number | bigint | null {
  if (typeof value === "number") {
    return value;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return null;
  }
  const kind = kindOf(value);
  return kind === "int64" ? int64Of(value) : kind === "float64" ? float64Of(value) : null;
}

function toBoolean(value: JsonValue | undefined): boolean {
  if (typeof value === "boolean") {
    return value;
  }
  throw developerError("EvalError", `Expected a boolean, but got ${describe(value)}`);
}

const describe = (value: JsonValue | undefined): string =>
  `${displayValue(value)} (type ${value === undefined ? "undefined" : kindOf(value)})`;

const invalid = (reason: string) =>
  developerError("InvalidExpression", `Invalid filter expression: ${reason}.`);
