import { developerError } from "../errors";
import { isJsonObject, requireArray, requireObject, requireString } from "../json";
import type { JsonObject, JsonValue } from "../types";
import { IDENTIFIER_LENGTH_MAX, INDEX_FIELDS_MAX, TABLE_INDEXES_MAX } from "../values/limits";
import { parseValidator, type ValidatorJson } from "../values/validator";
import { BY_CREATION_TIME, BY_ID } from "./table";

export type TableSchema = {
  readonly name: string;
  readonly indexes: readonly { readonly name: string; readonly fields: readonly string[] }[];
  /** Null where documents are not checked. */
  readonly validator: ValidatorJson | null;
};

/** An identifier that is not made of underscores alone. */
const IDENTIFIER = /^(?=.*[A-Za-z0-9])[A-Za-z_][A-Za-z0-9_]*$/;

/** Reads the JSON of `schema.export()`; null declares nothing. Throws developer errors that name table and index. */
export function parseSchema(schema: JsonValue | null): TableSchema[] {
  if (schema === null) {
    return [];
  }
  const { tables, schemaValidation } = requireObject(schema, "The schema");
  const names = new Set<string>();
  return requireArray(tables, "The tables of the schema").map((json) => {
    const table = parseTable(requireObject(json, "A table of the schema"), schemaValidation !== false);
    if (names.has(table.name)) {
      throw developerError("DuplicateTable", `Table "${table.name}" is declared twice in the schema.`);
    }
    names.add(table.name);
    return table;
  });
}

function parseTable(json: JsonObject, isEnforced: boolean): TableSchema {
  const name = requireString(json["tableName"], "The name of a table");
  if (!IDENTIFIER.test(name) || name.startsWith("_") || name.length > IDENTIFIER_LENGTH_MAX) {
    throw developerError(
      "InvalidTableName",
      `Invalid table name "${name}": use letters, digits and underscores (at most ${IDENTIFIER_LENGTH_MAX}), beginning with a letter.`,
    );
  }
  refuseUnsupported(json, name);
  if (isJsonObject(json["stagedDocumentType"])) {
    throw developerError(
      "StagedValidatorUnsupported",
      `Table "${name}" has a staged validator, which the 1.45 backend does not know: remove .staged() from the schema.`,
    );
  }
  const indexes = requireArray(json["indexes"] ?? [], `The indexes of table "${name}"`).map((index) =>
    parseIndex(requireObject(index, `An index of table "${name}"`), name),
  );
  if (indexes.length > TABLE_INDEXES_MAX) {
    throw developerError(
      "TooManyIndexes",
      `Table "${name}" has ${indexes.length} indexes, but at most ${TABLE_INDEXES_MAX} are allowed.`,
    );
  }
  const duplicate = indexes.find((index, i) => indexes.findIndex((other) => other.name === index.name) !== i);
  if (duplicate !== undefined) {
    throw developerError("DuplicateIndex", `Index ${name}.${duplicate.name} is declared twice.`);
  }
  const documentType = json["documentType"];
  return {
    name,
    indexes,
    validator: isEnforced && isJsonObject(documentType) ? parseValidator(documentType) : null,
  };
}

const UNSUPPORTED = [
  ["searchIndexes", "search"],
  ["stagedSearchIndexes", "search"],
  ["vectorIndexes", "vector"],
  ["stagedVectorIndexes", "vector"],
  ["stagedDbIndexes", "staged"],
] as const;

function refuseUnsupported(json: JsonObject, table: string): void {
  for (const [field, kind] of UNSUPPORTED) {
    const indexes = json[field];
    const first = Array.isArray(indexes) ? indexes[0] : undefined;
    if (isJsonObject(first)) {
      throw developerError(
        "IndexUnsupported",
        `Table "${table}" declares the ${kind} index "${String(first["indexDescriptor"])}", but this backend does not support ${kind} indexes yet: remove it from the schema.`,
      );
    }
  }
}

function parseIndex(json: JsonObject, table: string): { name: string; fields: string[] } {
  const name = requireString(json["indexDescriptor"], `The name of an index of table "${table}"`);
  const fields = requireArray(json["fields"], `The fields of index ${table}.${name}`).map((field) =>
    requireString(field, `A field of index ${table}.${name}`),
  );
  const refuse = (code: string, reason: string) => developerError(code, `Index ${table}.${name} ${reason}.`);
  if (name === BY_ID || name === BY_CREATION_TIME || name.startsWith("_")) {
    throw refuse("IndexNameReserved", "has a name that is reserved");
  }
  if (!IDENTIFIER.test(name) || name.length > IDENTIFIER_LENGTH_MAX) {
    throw refuse(
      "InvalidIndexName",
      `has an invalid name: use letters, digits and underscores (at most ${IDENTIFIER_LENGTH_MAX}), beginning with a letter`,
    );
  }
  if (fields.length === 0 || fields.length > INDEX_FIELDS_MAX) {
    throw refuse(
      "IndexFieldsInvalid",
      `has ${fields.length} fields, but 1 to ${INDEX_FIELDS_MAX} are allowed`,
    );
  }
  if (new Set(fields).size < fields.length) {
    throw refuse("IndexFieldsInvalid", "names a field twice");
  }
  if (fields.includes("_creationTime") || fields.includes("_id")) {
    throw refuse(
      "IndexFieldsInvalid",
      "names _creationTime or _id, which every index has at its end without being told",
    );
  }
  const wrong = fields.find((field) => !field.split(".").every((step) => IDENTIFIER.test(step)));
  if (wrong !== undefined) {
    throw refuse("IndexFieldsInvalid", `has the invalid field path "${wrong}"`);
  }
  return { name, fields };
}
