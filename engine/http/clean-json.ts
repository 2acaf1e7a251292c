import { isJsonObject } from "../json";
import type { JsonObject, JsonValue } from "../types";

/**
 * Turns encoded JSON into the plain JSON that REST callers get with `format: "json"`: 64-bit integers become decimal
 * strings, bytes stay base64, and the numbers that JSON lacks become their names.
 */
export function cleanJson(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value.map(cleanJson);
  }
  if (!isJsonObject(value)) {
    return value;
  }
  const special = cleanSpecial(value);
  if (special !== undefined) {
    return special;
  }
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, cleanJson(field)]));
}

function cleanSpecial(value: JsonObject): JsonValue | undefined {
  const { $integer: integer, $float: float, $bytes: bytes } = value;
  if (typeof integer === "string") {
    return Buffer.from(integer, "base64").readBigInt64LE().toString();
  }
  if (typeof float === "string") {
    const number = Buffer.from(float, "base64").readDoubleLE();
    return Object.is(number, -0) ? "-0" : String(number);
  }
  return typeof bytes === "string" ? bytes : undefined;
}
