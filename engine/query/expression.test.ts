import { compareValues, convexToJson, type Value } from "convex/values";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonValue } from "../types";
import { arbitraryValue } from "../values/arbitrary-values";
import { encodeFloat64, encodeInt64 } from "../values/encoded";
import { compileExpression, passes } from "./expression";

const literal = (value: Value) => ({ $literal: asJson(value) });
const asJson = (value: Value): JsonValue => JSON.parse(JSON.stringify(convexToJson(value)));
const evaluate = (json: JsonValue, document = {}) => compileExpression(json)(document);
const UNDEFINED = { $literal: { $undefined: null } };

describe("filters", () => {
  it("compare across all types by the order of values", () => {
    fc.assert(
      fc.property(arbitraryValue(), arbitraryValue(), (left, right) => {
        const order = compareValues(left, right);
        const operands = [literal(left), literal(right)];
        const answers = ["$eq", "$neq", "$lt", "$lte", "$gt", "$gte"].map((operator) =>
          evaluate({ [operator]: operands }),
        );
        expect(answers).toEqual([order === 0, order !== 0, order < 0, order <= 0, order > 0, order >= 0]);
      }),
      { numRuns: 1000 },
    );
  });

  it("take a missing field for undefined, which equals only itself and sorts first", () => {
    const document = { a: null, nested: { b: 1 } };
    expect(evaluate({ $eq: [{ $field: "x" }, UNDEFINED] }, document)).toBe(true);
    expect(evaluate({ $eq: [{ $field: "a" }, UNDEFINED] }, document)).toBe(false);
    expect(evaluate({ $lt: [{ $field: "x" }, { $field: "a" }] }, document)).toBe(true);
    expect(evaluate({ $field: "nested.b" }, document)).toBe(1);
    expect(evaluate({ $field: "nested.b.c" }, document)).toBe(undefined);
    expect(evaluate({ $field: "toString" }, document)).toBe(undefined);
    expect(evaluate({ $field: "n.$integer" }, { n: encodeInt64(1n) })).toBe(undefined);
  });

  it("calculate with two numbers of one type", () => {
    const on = (operator: string, left: Value, right: Value) =>
      evaluate({ [operator]: [literal(left), literal(right)] });
    expect([
      on("$add", 1, 2),
      on("$sub", 1, 2),
      on("$mul", 3, 2),
      on("$div", 3, 2),
      on("$mod", -7, 4),
    ]).toEqual([3, -1, 6, 1.5, -3]);
    expect(on("$div", 1, 0)).toEqual(encodeFloat64(Number.POSITIVE_INFINITY));
    expect([on("$div", -7n, 2n), on("$mod", -7n, 2n)]).toEqual([encodeInt64(-3n), encodeInt64(-1n)]);
    expect(on("$add", 2n ** 63n - 1n, 1n)).toEqual(encodeInt64(-(2n ** 63n)));
    expect(evaluate({ $neg: literal(5n) })).toEqual(encodeInt64(-5n));
    expect(evaluate({ $neg: literal(0) })).toEqual(encodeFloat64(-0));
  });

  it("stop at the first operand that decides", () => {
    const failing = { $not: literal(1) };
    expect(evaluate({ $and: [literal(false), failing] })).toBe(false);
    expect(evaluate({ $or: [literal(true), failing] })).toBe(true);
    expect([evaluate({ $and: [] }), evaluate({ $or: [] })]).toEqual([true, false]);
  });

  it.each<[string, JsonValue, string]>([
    [
      "mixed numbers",
      { $add: [literal(1), literal(1n)] },
      "Cannot add 1.0 (type float64) and 1 (type int64)",
    ],
    ["arithmetic on undefined", { $add: [UNDEFINED, literal(1)] }, "Cannot add undefined"],
    ["a negated text", { $neg: literal("a") }, 'Cannot negate "a" (type string)'],
    ["an int64 divided by zero", { $div: [literal(1n), literal(0n)] }, "Cannot divide 1 by zero"],
    ["a text as a condition", { $and: [literal("yes")] }, 'Expected a boolean, but got "yes"'],
    ["an unknown operator", { $like: [literal(1), literal(2)] }, "there is no operator $like"],
    ["three operands", { $eq: [literal(1), literal(2), literal(3)] }, "takes two operands"],
    ["no operator", {}, "an object with one operator"],
  ])("refuse %s", (_name, json, message) => {
    expect(() => evaluate(json)).toThrow(message);
  });

  it("must answer with a boolean", () => {
    expect(() => passes(compileExpression(literal(1)), {})).toThrow("Expected a boolean");
  });
});
