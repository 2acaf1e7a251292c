import { jsonToConvex } from "convex/values";
import { developerError } from "../errors";
import type { JsonObject, JsonValue } from "../types";
import {
  ARRAY_LENGTH_MAX,
  FIELD_NAME_LENGTH_MAX,
  formatBytes,
  OBJECT_FIELDS_MAX,
  VALUE_BYTES_MAX,
  VALUE_NESTING_MAX,
} from "./limits";

/**
 * Inside the data layer a value stays what it is on the wire: encoded JSON, where an object with the single key
 * `$integer`, `$float` or `$bytes` is a leaf. Only these leaves are ever decoded.
 */
export type ValueKind =
  | "null"
  | "int64"
  | "float64"
  | "boolean"
  | "string"
  | "bytes"
  | "array"
  | "object"
  | "commitTs";

/** The kind of a checked value (`checkValue`). */
export function kindOf(value: JsonValue): ValueKind {
  if (value === null) {
    return "null";
  }
  if (typeof value === "string") {
    return "string";
  }
  if (typeof value === "number") {
    return "float64";
  }
  if (typeof value === "boolean") {
    return "boolean";
  }
  if (Array.isArray(value)) {
    return "array";
  }
  // A checked object never has a key that starts with "$", so any of these keys marks a leaf.
  if ("$integer" in value) {
    return "int64";
  }
  if ("$float" in value) {
    return "float64";
  }
  if ("$bytes" in value) {
    return "bytes";
  }
  return "$commitTs" in value ? "commitTs" : "object";
}

/** The number behind an int64 leaf. */
export function int64Of(value: JsonObject): bigint {
  return Buffer.from(String(value["$integer"]), "base64").readBigInt64LE(0);
}

/** The number behind a float64, plain or as a `$float` leaf. */
export function float64Of(value: number | JsonObject): number {
  return typeof value === "number" ? value : Buffer.from(String(value["$float"]), "base64").readDoubleLE(0);
}

/** A float as a value: numbers that JSON cannot carry become a `$float` leaf. */
export function encodeFloat64(value: number): JsonValue {
  if (Number.isFinite(value) && !Object.is(value, -0)) {
    return value;
  }
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return { $float: bytes.toString("base64") };
}

/** A 64-bit integer as a value; arithmetic wraps as it does on Convex. */
export function encodeInt64(value: bigint): JsonValue {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt.asIntN(64, value));
  return { $integer: bytes.toString("base64") };
}

/** `{"$undefined":null}`, which the clients send in filters, index ranges and patches. */
export function isUndefinedMarker(value: JsonValue): boolean {
  return value !== null && typeof value === "object" && !Array.isArray(value) && "$undefined" in value;
}

/** Sets `object[key]` as an own field whatever the key is called, `__proto__` included. */
export function setField(object: JsonObject, key: string, value: JsonValue): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

export type CheckedValue = {
  /** The value in canonical form: keys sorted, floats that JSON loses as leaves. */
  value: JsonValue;
  /** Bytes by Convex's size formula (`getConvexSize`). */
  size: number;
  /** Levels of arrays and objects inside one another. */
  nesting: number;
};

/**
 * Checks that `json` is a Convex value within its limits and puts it in canonical form.
 * Throws a developer error with Convex's text.
 */
export function checkValue(json: JsonValue): CheckedValue {
  const checker = new ValueChecker();
  const value = checker.walk(json, 0);
  if (checker.size > VALUE_BYTES_MAX) {
    throw tooLarge(checker.size, VALUE_BYTES_MAX);
  }
  return { value, size: checker.size, nesting: checker.nesting };
}

/** The error for a value of `size` bytes where `max` are allowed. */
export const tooLarge = (size: number, max: number) =>
  developerError(
    "ValueTooLargeError",
    `Value is too large (${formatBytes(size)} > maximum size ${formatBytes(max)})`,
  );

/** With the `u` flag a pair counts as one character, so this finds only halves. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** `$set` and `$map` are refused by `jsonToConvex` with a text of their own. */
const LEAF_KEYS: ReadonlySet<string> = new Set(["$integer", "$float", "$bytes", "$commitTs", "$set", "$map"]);

class ValueChecker {
  size = 0;
  nesting = 0;

  walk(json: JsonValue, depth: number): JsonValue {
    if (typeof json === "string") {
      return this.#string(json);
    }
    if (typeof json === "number") {
      this.size += 9;
      return encodeFloat64(json);
    }
    if (json === null || typeof json === "boolean") {
      this.size += 1;
      return json;
    }
    return Array.isArray(json) ? this.#array(json, depth + 1) : this.#object(json, depth + 1);
  }

  #string(text: string): string {
    if (LONE_SURROGATE.test(text)) {
      throw developerError(
        "InvalidStringError",
        "String contains an unpaired surrogate and is not valid Unicode.",
      );
    }
    this.size += 2 + Buffer.byteLength(text);
    return text;
  }

  #array(items: JsonValue[], depth: number): JsonValue {
    this.#enter(depth);
    if (items.length > ARRAY_LENGTH_MAX) {
      throw developerError(
        "ArrayTooLongError",
        `Array length is too long (${items.length} > maximum length ${ARRAY_LENGTH_MAX})`,
      );
    }
    this.size += 2;
    return items.map((item) => this.walk(item, depth));
  }

  #object(object: JsonObject, depth: number): JsonValue {
    const keys = Object.keys(object);
    if (keys.length === 1 && keys[0] !== undefined && LEAF_KEYS.has(keys[0])) {
      return this.#leaf(object, keys[0]);
    }
    this.#enter(depth);
    if (keys.length > OBJECT_FIELDS_MAX) {
      throw developerError(
        "ObjectTooManyFieldsError",
        `Object has too many fields (${keys.length} > maximum number ${OBJECT_FIELDS_MAX})`,
      );
    }
    this.size += 2;
    const checked: JsonObject = {};
    // Field names are ASCII, so the order of UTF-16 units is the order of bytes.
    for (const key of keys.sort()) {
      checkFieldName(key);
      this.size += key.length + 1;
      setField(checked, key, this.walk(object[key] ?? null, depth));
    }
    return checked;
  }

  #leaf(object: JsonObject, key: string): JsonValue {
    let decoded: ReturnType<typeof jsonToConvex>;
    try {
      decoded = jsonToConvex(object);
    } catch (error) {
      throw developerError("InvalidValue", error instanceof Error ? error.message : String(error));
    }
    this.size += decoded instanceof ArrayBuffer ? 2 + decoded.byteLength : 9;
    // Base64 has several spellings of the same bytes; one is stored.
    return key === "$commitTs" ? object : { [key]: respellBase64(object[key]) };
  }

  #enter(depth: number): void {
    if (depth > this.nesting) {
      this.nesting = depth;
      if (depth > VALUE_NESTING_MAX) {
        throw developerError(
          "TooNestedError",
          `Value is too nested (nested ${depth} levels deep > maximum nesting ${VALUE_NESTING_MAX})`,
        );
      }
    }
  }
}

const respellBase64 = (text: JsonValue | undefined): string =>
  Buffer.from(String(text), "base64").toString("base64");

/** Keys that are nothing but letters, digits and `_` need no closer look. */
const PLAIN_FIELD_NAME = /^[A-Za-z0-9_]{1,64}$/;

/** Throws a developer error where `name` may not be a key inside a value. */
export function checkFieldName(name: string): void {
  if (PLAIN_FIELD_NAME.test(name)) {
    return;
  }
  if (name.length > FIELD_NAME_LENGTH_MAX) {
    throw developerError(
      "FieldNameTooLong",
      `Field name ${name} exceeds maximum field name length ${FIELD_NAME_LENGTH_MAX}.`,
    );
  }
  if (name.startsWith("$")) {
    throw developerError("ReservedFieldName", `Field name ${name} starts with a '$', which is reserved.`);
  }
  const wrong = /[^ -~]/u.exec(name);
  if (wrong) {
    throw developerError(
      "InvalidFieldName",
      `Field name ${name} has invalid character '${wrong[0]}': Field names can only contain non-control ASCII characters`,
    );
  }
}
