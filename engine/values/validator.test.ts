import { v } from "convex/values";
import { describe, expect, it } from "vitest";
import type { JsonValue } from "../types";
import { encodeInt64 } from "./encoded";
import { encodeId } from "./id";
import { parseValidator, type ValidatorTables, validateDocument, validateValue } from "./validator";

const tables: ValidatorTables = {
  tableNumber: (name) => ({ users: 10_001, posts: 10_002 })[name] ?? null,
  tableName: (number) => ({ 10001: "users", 10002: "posts", 1: "_storage" })[number] ?? null,
};
const userId = encodeId(10_001, new Uint8Array(16));
const postId = encodeId(10_002, new Uint8Array(16));
const fileId = encodeId(1, new Uint8Array(16));

/** The JSON of a validator of `convex/values`, as a push brings it. */
function jsonOf(validator: object): JsonValue {
  return "json" in validator ? JSON.parse(JSON.stringify(validator.json)) : null;
}

const check = (validator: object, value: JsonValue) =>
  validateValue(parseValidator(jsonOf(validator)), value, tables);

describe("validateValue", () => {
  it.each<[string, object, JsonValue]>([
    ["null", v.null(), null],
    ["number", v.number(), 1.5],
    ["number outside of JSON", v.number(), { $float: "AAAAAAAA8H8=" }],
    ["bigint", v.int64(), encodeInt64(3n)],
    ["boolean", v.boolean(), false],
    ["string", v.string(), ""],
    ["bytes", v.bytes(), { $bytes: "AQI=" }],
    ["any", v.any(), { a: [1] }],
    ["literal", v.literal("a"), "a"],
    ["bigint literal", v.literal(2n), encodeInt64(2n)],
    ["id", v.id("users"), userId],
    ["array", v.array(v.number()), [1, 2]],
    ["record", v.record(v.string(), v.number()), { a: 1 }],
    [
      "object with an optional field left out",
      v.object({ a: v.string(), b: v.optional(v.null()) }),
      { a: "" },
    ],
    ["any member of a union", v.union(v.string(), v.number()), 1],
  ])("accepts %s", (_name, validator, value) => {
    expect(check(validator, value)).toBe(null);
  });

  it.each<[string, object, JsonValue, string]>([
    [
      "a missing field",
      v.object({ name: v.string(), age: v.optional(v.number()) }),
      { age: 3 },
      "Object is missing the required field `name`. Consider wrapping the field validator in `v.optional(...)` if this is expected.\n\nObject: {age: 3.0}\nValidator: v.object({age: v.optional(v.float64()), name: v.string()})",
    ],
    [
      "an extra field",
      v.object({ a: v.object({ b: v.string() }) }),
      { a: { b: "x", c: true } },
      'Object contains extra field `c` that is not in the validator.\nPath: .a\nObject: {b: "x", c: true}\nValidator: v.object({b: v.string()})',
    ],
    [
      "a wrong type inside an array",
      v.object({ list: v.array(v.int64()) }),
      { list: [encodeInt64(1n), 2] },
      "Value does not match validator.\nPath: .list[1]\nValue: 2.0\nValidator: v.int64()",
    ],
    ["a wrong literal", v.literal("a"), "b", '`"b"` does not match literal validator `v.literal("a")`.'],
    [
      "no member of a union",
      v.union(v.literal("a"), v.null()),
      1,
      'Value does not match validator.\n\nValue: 1.0\nValidator: v.union(v.literal("a"), v.null())',
    ],
    [
      "the id of another table",
      v.object({ user: v.id("users") }),
      { user: postId },
      `Found ID "${postId}" from table \`posts\`, which does not match the table name in validator \`v.id("users")\`.Path: .user`,
    ],
    [
      "the id of a system table",
      v.id("users"),
      fileId,
      `Found ID "${fileId}" from a system table, which does not match the table name in validator \`v.id("users")\`.`,
    ],
    ["a text that is no id", v.id("users"), "nope", 'Value: "nope"\nValidator: v.id("users")'],
    ["a number as a bigint", v.int64(), 1, "Validator: v.int64()"],
    ["a leaf as an object", v.object({}), encodeInt64(1n), "Value: 1\n"],
    ["an object as a record of numbers", v.record(v.string(), v.number()), { a: "x" }, "Path: .values()"],
  ])("tells of %s as Convex does", (_name, validator, value, message) => {
    expect(check(validator, value)).toContain(message);
  });

  it("does not take inherited names for fields", () => {
    expect(check(v.object({}), { toString: 1 })).toContain("extra field `toString`");
    expect(check(v.object({ constructor: v.string() }), {})).toContain(
      "missing the required field `constructor`",
    );
  });
});

describe("validateDocument", () => {
  const document = { _id: userId, _creationTime: 1, name: "Ada" };

  it("leaves the system fields to the engine, in unions too", () => {
    const one = parseValidator(jsonOf(v.object({ name: v.string() })));
    const either = parseValidator(
      jsonOf(v.union(v.object({ n: v.number() }), v.object({ name: v.string() }))),
    );
    expect(validateDocument(one, document, tables)).toBe(null);
    expect(validateDocument(either, document, tables)).toBe(null);
    expect(validateDocument(one, { ...document, more: 1 }, tables)).toContain("extra field `more`");
  });
});

describe("parseValidator", () => {
  it("refuses what is no validator", () => {
    expect(() => parseValidator({ type: "map" })).toThrow("Not a validator");
    expect(() => parseValidator({ type: "object", value: [] })).toThrow("Not a validator");
    expect(() => parseValidator("string")).toThrow("Not a validator");
  });
});
