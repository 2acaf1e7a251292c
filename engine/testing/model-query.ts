import { compareValues, type Value } from "convex/values";
import { type Fields, valueAt } from "./model-value";

/** Queries as `convex/server` asks them, over JavaScript values. */
export type Query = {
  readonly table: string;
  /** Null: a full table scan. */
  readonly index: string | null;
  readonly range: readonly Condition[];
  readonly order: "asc" | "desc" | null;
  readonly operators: readonly Operator[];
};
export type Condition = {
  readonly type: "Eq" | "Gt" | "Gte" | "Lt" | "Lte";
  readonly field: string;
  readonly value: Value | undefined;
};
export type Operator = { readonly limit: number } | { readonly filter: Expression };
export type Expression =
  | { readonly field: string }
  | { readonly literal: Value | undefined }
  | { readonly all: "$and" | "$or"; readonly parts: readonly Expression[] }
  | { readonly one: "$not" | "$neg"; readonly part: Expression }
  | { readonly two: Comparison | Arithmetic; readonly left: Expression; readonly right: Expression };
export type Comparison = "$eq" | "$neq" | "$lt" | "$lte" | "$gt" | "$gte";
export type Arithmetic = "$add" | "$sub" | "$mul" | "$div" | "$mod";

/** The refusal of a call: the engine must refuse it too, with one of these codes. */
export class ModelError extends Error {
  constructor(readonly codes: ReadonlySet<string>) {
    super([...codes].join(" or "));
  }
}

export const refuse = (...codes: string[]): never => {
  throw new ModelError(new Set(codes));
};

/** Throws where the conditions are no range of the index (engine brief D.3). */
export function checkRange(range: readonly Condition[], fields: readonly string[]): void {
  const codes = new Set<string>();
  const equal = range.filter(({ type }) => type === "Eq").map(({ field }) => field);
  const bounded = range.filter(({ type }) => type !== "Eq").map(({ field }) => field);
  const lower = range.filter(({ type }) => type === "Gt" || type === "Gte").length;
  const boundedOnce = new Set(bounded);
  if (new Set(equal).size < equal.length || lower > 1 || bounded.length - lower > 1) {
    codes.add("AlreadyDefinedBound");
  }
  if (boundedOnce.size > 1) codes.add("BoundsOnMultipleFields");
  if (bounded.some((field) => equal.includes(field))) codes.add("AlreadyDefinedBound");
  if (range.some(({ field }) => !fields.includes(field))) codes.add("FieldNotInIndex");
  const used = new Set([...equal, ...bounded]);
  const prefix = fields.slice(0, used.size);
  const last = fields[used.size - 1];
  if (prefix.some((field) => !used.has(field)) || bounded.some((field) => field !== last)) {
    codes.add("InvalidIndexRange");
  }
  if (codes.size > 0) refuse(...codes);
}

export function matches(document: Fields, { type, field, value }: Condition): boolean {
  const order = compareValues(valueAt(document, field), value);
  switch (type) {
    case "Eq":
      return order === 0;
    case "Gt":
      return order > 0;
    case "Gte":
      return order >= 0;
    case "Lt":
      return order < 0;
    case "Lte":
      return order <= 0;
  }
}

/** Whether a document passes a filter. Throws where the outcome is no boolean. */
export const passes = (filter: Expression, document: Fields): boolean =>
  requireBoolean(evaluate(filter, document));

function evaluate(expression: Expression, document: Fields): Value | undefined {
  if ("field" in expression) return valueAt(document, expression.field);
  if ("literal" in expression) return expression.literal;
  if ("all" in expression) {
    for (const part of expression.parts) {
      const value = requireBoolean(evaluate(part, document));
      if (value === (expression.all === "$or")) return value;
    }
    return expression.all === "$and";
  }
  if ("one" in expression) {
    const value = evaluate(expression.part, document);
    if (expression.one === "$not") return !requireBoolean(value);
    if (typeof value === "number") return -value;
    return typeof value === "bigint" ? BigInt.asIntN(64, -value) : refuse("EvalError");
  }
  const left = evaluate(expression.left, document);
  const right = evaluate(expression.right, document);
  const order = compareValues(left, right);
  switch (expression.two) {
    case "$eq":
      return order === 0;
    case "$neq":
      return order !== 0;
    case "$lt":
      return order < 0;
    case "$lte":
      return order <= 0;
    case "$gt":
      return order > 0;
    case "$gte":
      return order >= 0;
    default:
      return calculate(expression.two, left, right);
  }
}

function calculate(operator: Arithmetic, left: Value | undefined, right: Value | undefined): Value {
  if (typeof left === "bigint" && typeof right === "bigint") {
    if (right === 0n && (operator === "$div" || operator === "$mod")) return refuse("EvalError");
    const results = {
      $add: () => left + right,
      $sub: () => left - right,
      $mul: () => left * right,
      $div: () => left / right,
      $mod: () => left % right,
    };
    return BigInt.asIntN(64, results[operator]());
  }
  if (typeof left === "number" && typeof right === "number") {
    const results = {
      $add: left + right,
      $sub: left - right,
      $mul: left * right,
      $div: left / right,
      $mod: left % right,
    };
    return results[operator];
  }
  return refuse("EvalError");
}

const requireBoolean = (value: Value | undefined): boolean =>
  typeof value === "boolean" ? value : refuse("EvalError");
