import { developerError } from "./errors";
import type { JsonObject, JsonValue } from "./types";

/**
 * Reads JSON from outside. `what` names the text in the error, for example "The request body".
 * Throws a developer error `BadJson` when the text is not JSON.
 */
export function parseJson(text: string, what: string): JsonValue {
  try {
    // JSON.parse answers exactly the values of JsonValue; the library types it as `any`.
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw developerError("BadJson", `${what} is not valid JSON: ${reason}`);
  }
}

export const isJsonObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `value` as an object, or a developer error `BadRequest` that says what was expected to be one. */
export function requireObject(value: JsonValue | undefined, what: string): JsonObject {
  if (isJsonObject(value)) {
    return value;
  }
  throw developerError("BadRequest", `${what} must be a JSON object.`);
}

export function requireArray(value: JsonValue | undefined, what: string): JsonValue[] {
  if (Array.isArray(value)) {
    return value;
  }
  throw developerError("BadRequest", `${what} must be a JSON array.`);
}

export function requireString(value: JsonValue | undefined, what: string): string {
  if (typeof value === "string") {
    return value;
  }
  throw developerError("BadRequest", `${what} must be a string.`);
}

/** A count or an id of the wire: a whole number from 0 to 2^53-1. */
export function requireCount(value: JsonValue | undefined, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) {
    return value;
  }
  throw developerError("BadRequest", `${what} must be a non-negative integer.`);
}

/** Absent and null count as "not given". */
export function optionalString(value: JsonValue | undefined, what: string): string | undefined {
  return value === undefined || value === null ? undefined : requireString(value, what);
}

/** One text for equal values: object keys sorted at every depth. Used for keys of caches, never for storage. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) {
    return `[${value.map(canonicalJson).join(",")}]`;
  }
  if (isJsonObject(value)) {
    const fields = Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
    return `{${fields.join(",")}}`;
  }
  return JSON.stringify(value);
}
