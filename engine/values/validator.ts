import { developerError } from "../errors";
import type { JsonObject, JsonValue } from "../types";
import { displayLiteral, displayValidator, displayValue } from "./display";
import { kindOf, type ValueKind } from "./encoded";
import { tableNumberOf } from "./id";
import { encodeKey } from "./key";

/** What `exportArgs()`, `exportReturns()` and `schema.export()` of `convex/server` write. */
export type ValidatorJson =
  | { type: "null" | "number" | "bigint" | "boolean" | "string" | "bytes" | "any" | "commitTs" }
  | { type: "literal"; value: JsonValue }
  | { type: "id"; tableName: string }
  | { type: "array"; value: ValidatorJson }
  | { type: "record"; keys: ValidatorJson; values: ValidatorField }
  | { type: "object"; value: { [field: string]: ValidatorField } }
  | { type: "union"; value: ValidatorJson[] };

export type ValidatorField = { fieldType: ValidatorJson; optional: boolean };

/** The tables that `v.id(table)` is checked against: those of one component. */
export type ValidatorTables = {
  tableNumber(table: string): number | null;
  /** Names the table of a wrong id in the message; without it the message does not name it. */
  tableName?(tableNumber: number): string | null;
};

/**
 * Checks a value in canonical encoded JSON. Answers null where it matches, otherwise Convex's message, to which the
 * caller adds its own beginning (`ArgumentValidationError: `, `ReturnsValidationError: `, ...).
 */
export function validateValue(
  validator: ValidatorJson,
  value: JsonValue,
  tables: ValidatorTables,
): string | null {
  return check(validator, value, tables, "");
}

/** The same for a whole document, whose `_id` and `_creationTime` no validator mentions. */
export function validateDocument(
  validator: ValidatorJson,
  document: JsonObject,
  tables: ValidatorTables,
): string | null {
  if (validator.type === "object") {
    return checkObject(validator, document, tables, "", true);
  }
  if (validator.type === "union") {
    const failures = validator.value.map((member) => validateDocument(member, document, tables));
    if (failures.includes(null)) {
      return null;
    }
    return failures.length === 1 ? (failures[0] ?? null) : noMatch(validator, document, "");
  }
  return check(validator, document, tables, "");
}

const KIND_OF_TYPE: { readonly [type: string]: ValueKind } = {
  null: "null",
  number: "float64",
  boolean: "boolean",
  string: "string",
  bytes: "bytes",
};

function check(
  validator: ValidatorJson,
  value: JsonValue,
  tables: ValidatorTables,
  path: string,
): string | null {
  switch (validator.type) {
    case "any":
      return null;
    case "string":
      return typeof value === "string" ? null : noMatch(validator, value, path);
    case "id":
      return checkId(validator, value, tables, path);
    case "literal":
      return checkLiteral(validator, value, path);
    case "array":
      return checkArray(validator, value, tables, path);
    case "object":
      return kindOf(value) === "object" && isObject(value)
        ? checkObject(validator, value, tables, path, false)
        : noMatch(validator, value, path);
    case "record":
      return checkRecord(validator, value, tables, path);
    case "union":
      return checkUnion(validator, value, tables, path);
    case "commitTs":
      return ["int64", "commitTs"].includes(kindOf(value)) ? null : noMatch(validator, value, path);
    case "bigint":
      // The placeholder of the commit timestamp stands for an integer.
      return ["int64", "commitTs"].includes(kindOf(value)) ? null : noMatch(validator, value, path);
    default:
      return kindOf(value) === KIND_OF_TYPE[validator.type] ? null : noMatch(validator, value, path);
  }
}

function checkId(
  validator: Extract<ValidatorJson, { type: "id" }>,
  value: JsonValue,
  tables: ValidatorTables,
  path: string,
): string | null {
  const found = typeof value === "string" ? tableNumberOf(value) : null;
  if (found === null) {
    return noMatch(validator, value, path);
  }
  if (found === tables.tableNumber(validator.tableName)) {
    return null;
  }
  const name = tables.tableName?.(found) ?? null;
  if (name === null) {
    return noMatch(validator, value, path);
  }
  const from = name.startsWith("_") ? "a system table" : `table \`${name}\``;
  return `Found ID "${String(value)}" from ${from}, which does not match the table name in validator \`v.id("${validator.tableName}")\`.${pathLine(path)}`;
}

function checkLiteral(
  validator: Extract<ValidatorJson, { type: "literal" }>,
  value: JsonValue,
  path: string,
): string | null {
  const matches =
    value === validator.value ||
    (typeof value === "object" && value !== null && encodeKey(value) === encodeKey(validator.value));
  return matches
    ? null
    : `\`${displayValue(value)}\` does not match literal validator \`v.literal(${displayLiteral(validator.value)})\`.${pathLine(path)}`;
}

function checkArray(
  validator: Extract<ValidatorJson, { type: "array" }>,
  value: JsonValue,
  tables: ValidatorTables,
  path: string,
): string | null {
  if (!Array.isArray(value)) {
    return noMatch(validator, value, path);
  }
  for (const [index, item] of value.entries()) {
    const failure = check(validator.value, item, tables, `${path}[${index}]`);
    if (failure !== null) {
      return failure;
    }
  }
  return null;
}

function checkRecord(
  validator: Extract<ValidatorJson, { type: "record" }>,
  value: JsonValue,
  tables: ValidatorTables,
  path: string,
): string | null {
  if (kindOf(value) !== "object" || !isObject(value)) {
    return noMatch(validator, value, path);
  }
  for (const [key, field] of Object.entries(value)) {
    const failure =
      check(validator.keys, key, tables, `${path}.keys()`) ??
      check(validator.values.fieldType, field, tables, `${path}.values()`);
    if (failure !== null) {
      return failure;
    }
  }
  return null;
}

function checkUnion(
  validator: Extract<ValidatorJson, { type: "union" }>,
  value: JsonValue,
  tables: ValidatorTables,
  path: string,
): string | null {
  const [only, ...others] = validator.value;
  if (only !== undefined && others.length === 0) {
    return check(only, value, tables, path);
  }
  return validator.value.some((member) => check(member, value, tables, path) === null)
    ? null
    : noMatch(validator, value, path);
}

function checkObject(
  validator: Extract<ValidatorJson, { type: "object" }>,
  object: JsonObject,
  tables: ValidatorTables,
  path: string,
  isDocument: boolean,
): string | null {
  const fields = validator.value;
  for (const name in fields) {
    const field = fields[name];
    if (field === undefined) {
      continue;
    }
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (value !== undefined) {
      const failure = check(field.fieldType, value, tables, `${path}.${name}`);
      if (failure !== null) {
        return failure;
      }
    } else if (!field.optional) {
      return objectMessage(
        `Object is missing the required field \`${name}\`. Consider wrapping the field validator in \`v.optional(...)\` if this is expected.`,
        validator,
        object,
        path,
      );
    }
  }
  for (const name in object) {
    if (!Object.hasOwn(fields, name) && !(isDocument && (name === "_id" || name === "_creationTime"))) {
      return objectMessage(
        `Object contains extra field \`${name}\` that is not in the validator.`,
        validator,
        object,
        path,
      );
    }
  }
  return null;
}

const objectMessage = (sentence: string, validator: ValidatorJson, object: JsonObject, path: string) =>
  `${sentence}\n${pathLine(path)}\nObject: ${displayValue(object)}\nValidator: ${displayValidator(validator)}`;

const noMatch = (validator: ValidatorJson, value: JsonValue, path: string): string =>
  `Value does not match validator.\n${pathLine(path)}\nValue: ${displayValue(value)}\nValidator: ${displayValidator(validator)}`;

const pathLine = (path: string): string => (path === "" ? "" : `Path: ${path}`);

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Reads a validator from JSON that a push brought. Throws a developer error `InvalidValidator` where it is not one.
 */
export function parseValidator(json: JsonValue): ValidatorJson {
  const type = isObject(json) ? json["type"] : undefined;
  if (!isObject(json) || typeof type !== "string") {
    throw invalidValidator(json);
  }
  switch (type) {
    case "null":
    case "number":
    case "bigint":
    case "boolean":
    case "string":
    case "bytes":
    case "any":
    case "commitTs":
      return { type };
    case "literal":
      return { type, value: json["value"] ?? null };
    case "id":
      return { type, tableName: String(json["tableName"]) };
    case "array":
      return { type, value: parseValidator(json["value"] ?? null) };
    case "record":
      return {
        type,
        keys: parseValidator(json["keys"] ?? null),
        values: parseField(json["values"] ?? null),
      };
    case "object":
      return { type, value: parseFields(json["value"] ?? null) };
    case "union": {
      const members = json["value"];
      if (!Array.isArray(members)) {
        throw invalidValidator(json);
      }
      return { type, value: members.map(parseValidator) };
    }
    default:
      throw invalidValidator(json);
  }
}

function parseFields(json: JsonValue): { [field: string]: ValidatorField } {
  if (!isObject(json)) {
    throw invalidValidator(json);
  }
  return Object.fromEntries(Object.entries(json).map(([name, field]) => [name, parseField(field)]));
}

function parseField(json: JsonValue): ValidatorField {
  if (!isObject(json)) {
    throw invalidValidator(json);
  }
  return { fieldType: parseValidator(json["fieldType"] ?? null), optional: json["optional"] === true };
}

const invalidValidator = (json: JsonValue) =>
  developerError("InvalidValidator", `Not a validator: ${JSON.stringify(json)}`);
