import { getDocumentSize, type Value } from "convex/values";
import type { JsonObject, JsonValue } from "../types";

/**
 * Values as a function holds them, and what the engine must think of them: written from the rules of Convex, not from
 * the engine's code, so that both can be held against each other.
 */
export type Fields = { readonly [field: string]: Value | undefined };

export const isPlainObject = (value: Value | undefined): value is { [key: string]: Value } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ArrayBuffer);

/** Encoded JSON of a value, valid or not: broken strings and forbidden names go through as they are. */
export function toJson(value: Value): JsonValue {
  if (typeof value === "bigint") {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return { $integer: bytes.toString("base64") };
  }
  if (typeof value === "number") {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return { $float: bytes.toString("base64") };
  }
  if (value instanceof ArrayBuffer) return { $bytes: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(toJson);
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
  }
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  throw new Error("The model draws no other values.");
}

/** Fields as a patch carries them: `undefined` travels as a marker. */
export const fieldsToJson = (fields: Fields): JsonObject =>
  Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value === undefined ? { $undefined: null } : toJson(value),
    ]),
  );

/** The fields that have a value: what is left of an object on its way through `convex/server`. */
export function defined(fields: Fields): { [field: string]: Value } {
  const rest: { [field: string]: Value } = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) rest[name] = value;
  }
  return rest;
}

/** JSON with sorted keys: equal values have equal texts. */
export const canonical = (json: unknown): string =>
  JSON.stringify(json, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

/** The value at a dotted path; undefined where a step is missing or no object. */
export function valueAt(document: Fields, path: string): Value | undefined {
  let value: Value | undefined;
  let fields: Fields | null = document;
  for (const step of path.split(".")) {
    value = fields !== null && Object.hasOwn(fields, step) ? fields[step] : undefined;
    fields = isPlainObject(value) ? value : null;
  }
  return value;
}

/** Codes of everything that is wrong with a document of a user (engine brief D.1); empty for a good one. */
export function problemsOf(document: { readonly [field: string]: Value }): Set<string> {
  const problems = new Set<string>();
  for (const name of Object.keys(document)) {
    if (name === "_id" || name === "_creationTime") continue;
    if (name.startsWith("_")) problems.add("UnderscoreFieldError");
    else if (name.length > 64) problems.add("FieldNameTooLong");
    else if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) problems.add("InvalidFieldName");
  }
  for (const value of Object.values(document)) findProblems(value, 2, problems);
  if (problems.size === 0 && getDocumentSize(document) > 1024 * 1024) problems.add("ValueTooLargeError");
  return problems;
}

/** @param level depth of `value` if it is an array or object; the document itself is level 1 */
function findProblems(value: Value, level: number, problems: Set<string>): void {
  // Written as UTF-8 and read again, half a pair becomes a replacement character.
  if (typeof value === "string" && Buffer.from(value).toString() !== value)
    problems.add("InvalidStringError");
  const isObject = isPlainObject(value);
  if (!isObject && !Array.isArray(value)) return;
  if (level > 16) problems.add("TooNestedError");
  if (Array.isArray(value)) {
    if (value.length > 8192) problems.add("ArrayTooLongError");
    for (const item of value) findProblems(item, level + 1, problems);
    return;
  }
  const names = Object.keys(value);
  if (names.length > 1024) problems.add("ObjectTooManyFieldsError");
  for (const name of names) {
    if (name.startsWith("$")) problems.add("ReservedFieldName");
    if (name.length > 1024) problems.add("FieldNameTooLong");
    if (/[^\x20-\x7e]/.test(name)) problems.add("InvalidFieldName");
    const item = value[name];
    if (item !== undefined) findProblems(item, level + 1, problems);
  }
}
