import { describe, expect, it } from "vitest";
import type { JsonObject, JsonValue } from "../types";
import { encodeKeys } from "../values/key";
import { compileRange } from "./range";

const FIELDS = ["a", "b", "_creationTime", "_id"];
const UNDEFINED = { $undefined: null };
const compile = (...conditions: [type: string, fieldPath: string, value: JsonValue][]) =>
  compileRange(
    conditions.map(([type, fieldPath, value]): JsonObject => ({ type, fieldPath, value })),
    "t.by_a_b",
    FIELDS,
  );
const holds = (
  interval: ReturnType<typeof compile>,
  a: JsonValue | undefined,
  b: JsonValue | undefined,
): boolean => {
  const key = encodeKeys([a, b, 1, "id"]);
  return key >= interval.start && (interval.end === null || key < interval.end);
};

describe("index ranges", () => {
  it("hold what their conditions say", () => {
    const none = compile();
    const eq = compile(["Eq", "a", 1]);
    const between = compile(["Eq", "a", 1], ["Gt", "b", 2], ["Lte", "b", 4]);
    expect(holds(none, null, undefined)).toBe(true);
    expect([0, 1, 2].map((a) => holds(eq, a, "x"))).toEqual([false, true, false]);
    expect([2, 3, 4, 5].map((b) => holds(between, 1, b))).toEqual([false, true, true, false]);
    expect(holds(between, 2, 3)).toBe(false);
    expect([1, 2, 3].map((a) => holds(compile(["Gte", "a", 2]), a, 0))).toEqual([false, true, true]);
    expect([1, 2, 3].map((a) => holds(compile(["Lt", "a", 2]), a, 0))).toEqual([true, false, false]);
  });

  it("take equalities in any order", () => {
    expect(compile(["Eq", "b", 2], ["Eq", "a", 1])).toEqual(compile(["Eq", "a", 1], ["Eq", "b", 2]));
  });

  it("find missing fields with undefined, which sorts below null", () => {
    expect(holds(compile(["Eq", "a", UNDEFINED]), undefined, 1)).toBe(true);
    expect(holds(compile(["Eq", "a", UNDEFINED]), null, 1)).toBe(false);
    expect(holds(compile(["Gt", "a", UNDEFINED]), null, 1)).toBe(true);
    expect(holds(compile(["Gt", "a", UNDEFINED]), undefined, 1)).toBe(false);
    expect(holds(compile(["Lt", "a", 5]), undefined, 1)).toBe(true);
  });

  it("are empty when their bounds cross", () => {
    const crossed = compile(["Gt", "a", 5], ["Lt", "a", 3]);
    expect(crossed.end !== null && crossed.start >= crossed.end).toBe(true);
  });

  it.each<[string, string, Parameters<typeof compile>]>([
    ["FieldNotInIndex", 'a comparison with "c", but t.by_a_b with fields', [["Eq", "c", 1]]],
    ["FieldNotInIndex", 'a comparison with "c"', [["Gt", "c", 1]]],
    ["InvalidIndexRange", "didn't use the index fields in order", [["Eq", "b", 1]]],
    ["InvalidIndexRange", "First incorrect field: b", [["Gt", "b", 1]]],
    [
      "BoundsOnMultipleFields",
      'a range bound on both "a" and "b"',
      [
        ["Gt", "a", 1],
        ["Lt", "b", 1],
      ],
    ],
    [
      "AlreadyDefinedBound",
      'Already defined equality bound in index range. Can\'t add "a" == 1.0.',
      [
        ["Eq", "a", 1],
        ["Eq", "a", 2],
      ],
    ],
    [
      "AlreadyDefinedBound",
      "Already defined lower bound",
      [
        ["Gt", "a", 1],
        ["Gte", "a", 2],
      ],
    ],
    [
      "AlreadyDefinedBound",
      "Already defined upper bound",
      [
        ["Lt", "a", 1],
        ["Lte", "a", 2],
      ],
    ],
    [
      "AlreadyDefinedBound",
      "Already defined inequality bound",
      [
        ["Eq", "a", 1],
        ["Gt", "a", 2],
      ],
    ],
    ["InvalidQuery", "malformed", [["Like", "a", 1]]],
  ])("refuse with %s: %s", (code, message, conditions) => {
    expect(() => compile(...conditions)).toThrow(expect.objectContaining({ code }));
    expect(() => compile(...conditions)).toThrow(message);
  });
});
