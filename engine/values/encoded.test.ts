import { convexToJson, getConvexSize, jsonToConvex, type Value } from "convex/values";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJson } from "../json";
import type { JsonValue } from "../types";
import { arbitraryValue } from "./arbitrary-values";
import { checkValue, encodeFloat64, encodeInt64, float64Of, int64Of } from "./encoded";

const check = (json: JsonValue) => checkValue(json);
const nest = (levels: number): JsonValue => (levels === 0 ? 1 : [nest(levels - 1)]);

function asJson(value: Value): JsonValue {
  return parseJson(JSON.stringify(convexToJson(value)), "a value");
}

describe("checkValue", () => {
  it("keeps every value that the clients encode, and measures it as Convex does", () => {
    fc.assert(
      fc.property(arbitraryValue(), (value) => {
        const json = asJson(value);
        const checked = check(json);
        expect(JSON.stringify(checked.value)).toBe(JSON.stringify(json));
        expect(checked.size).toBe(getConvexSize(value));
        expect(jsonToConvex(checked.value)).toEqual(jsonToConvex(json));
      }),
      { numRuns: 2000 },
    );
  });

  it("sorts keys at every depth, so that equal values have equal texts", () => {
    expect(JSON.stringify(check({ b: { d: 1, c: 2 }, a: 3, Z: 4 }).value)).toBe(
      '{"Z":4,"a":3,"b":{"c":2,"d":1}}',
    );
  });

  it("keeps numbers that JSON would lose", () => {
    expect(check(parseJson("1e999", "a number")).value).toEqual(encodeFloat64(Number.POSITIVE_INFINITY));
    expect(check(parseJson("-0", "a number")).value).toEqual(encodeFloat64(-0));
  });

  it("keeps a field that is called __proto__ a field", () => {
    const checked = check(parseJson('{"x":{"__proto__":{"polluted":1}}}', "a value"));
    expect(JSON.stringify(checked.value)).toBe('{"x":{"__proto__":{"polluted":1}}}');
  });

  it.each<[string, JsonValue, string]>([
    [
      "an array of 8,193",
      Array.from({ length: 8193 }, () => 0),
      "Array length is too long (8193 > maximum length 8192)",
    ],
    [
      "1,025 fields",
      Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [`f${i}`, 0])),
      "Object has too many fields (1025 > maximum number 1024)",
    ],
    ["65 levels", nest(65), "Value is too nested (nested 65 levels deep > maximum nesting 64)"],
    ["a key with $", { a: { $b: 1, c: 2 } }, "Field name $b starts with a '$', which is reserved."],
    ["a lone key with $", { $b: 1 }, "Field name $b starts with a '$', which is reserved."],
    ["a key that is not ASCII", { é: 1 }, "Field names can only contain non-control ASCII characters"],
    ["a key that is too long", { ["k".repeat(1025)]: 1 }, "exceeds maximum field name length 1024"],
    ["half a surrogate pair", "a\ud800", "unpaired surrogate"],
    ["a broken integer", { $integer: "AA==" }, "expected 8 for $integer"],
    ["a set", { $set: [] }, "no longer supported as a Convex type"],
  ])("refuses %s", (_name, value, message) => {
    expect(() => check(value)).toThrow(message);
  });

  it("accepts the largest of each", () => {
    expect(() => check(Array.from({ length: 8192 }, () => 0))).not.toThrow();
    expect(check(nest(64)).nesting).toBe(64);
  });
});

describe("numbers", () => {
  it("wrap at 64 bits and come back", () => {
    expect(encodeInt64(2n ** 63n)).toEqual(encodeInt64(-(2n ** 63n)));
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.double(), (n, f) => {
        const integer = encodeInt64(n);
        expect(
          typeof integer === "object" && integer !== null && !Array.isArray(integer) && int64Of(integer),
        ).toBe(n);
        const float = encodeFloat64(f);
        expect(
          typeof float === "object" && float !== null && !Array.isArray(float) ? float64Of(float) : float,
        ).toBe(f);
      }),
    );
  });
});
