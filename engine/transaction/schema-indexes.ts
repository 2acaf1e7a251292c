import { developerError } from "../errors";
import { requireArray, requireObject, requireString } from "../json";
import type { JsonObject, JsonValue } from "../types";
import {
  IDENTIFIER_LENGTH_MAX,
  INDEX_FIELDS_MAX,
  SEARCH_FILTER_FIELDS_MAX,
  TABLE_INDEXES_MAX,
  TABLE_SEARCH_INDEXES_MAX,
} from "../values/limits";
import { BY_CREATION_TIME, BY_ID } from "./table";

/** An index as a schema declares it. */
export type DeclaredIndex = {
  readonly kind: "db" | "search";
  readonly name: string;
  /** The first field of a search index is the one that is searched, the others are for filters. */
  readonly fields: readonly string[];
  readonly isStaged: boolean;
};

/** An identifier that is not made of underscores alone. */
export const IDENTIFIER = /^(?=.*[A-Za-z0-9])[A-Za-z_][A-Za-z0-9_]*$/;

/** Reads the indexes of a table of `schema.export()`. Throws developer errors that name table and index. */
export function parseIndexes(json: JsonObject, table: string): DeclaredIndex[] {
  refuseVectors(json, table);
  const list = (field: string) =>
    requireArray(json[field] ?? [], `The indexes of table "${table}"`).map((index) =>
      requireObject(index, `An index of table "${table}"`),
    );
  const indexes = [
    ...list("indexes").map((index) => parseIndex(index, table, false)),
    ...list("stagedDbIndexes").map((index) => parseIndex(index, table, true)),
  ];
  const searches = [
    ...list("searchIndexes").map((index) => parseSearch(index, table, false)),
    ...list("stagedSearchIndexes").map((index) => parseSearch(index, table, true)),
  ];
  refuseTooMany(indexes.length, TABLE_INDEXES_MAX, "indexes", table);
  refuseTooMany(searches.length, TABLE_SEARCH_INDEXES_MAX, "search indexes", table);
  const all = [...indexes, ...searches];
  const names = new Set<string>();
  for (const { name } of all) {
    if (names.has(name)) {
      throw developerError("DuplicateIndex", `Index ${table}.${name} is declared twice.`);
    }
    names.add(name);
  }
  return all;
}

function refuseVectors(json: JsonObject, table: string): void {
  for (const field of ["vectorIndexes", "stagedVectorIndexes"]) {
    const [first] = requireArray(json[field] ?? [], `The vector indexes of table "${table}"`);
    if (first !== undefined) {
      const name = requireObject(first, "A vector index")["indexDescriptor"];
      throw developerError(
        "IndexUnsupported",
        `Table "${table}" declares the vector index "${String(name)}", but this backend has no vector search: remove the index from the schema.`,
      );
    }
  }
}

function refuseTooMany(count: number, max: number, what: string, table: string): void {
  if (count > max) {
    throw developerError(
      "TooManyIndexes",
      `Table "${table}" has ${count} ${what}, but at most ${max} are allowed.`,
    );
  }
}

function parseIndex(json: JsonObject, table: string, isStaged: boolean): DeclaredIndex {
  const name = parseName(json, table);
  const fields = parseFields(json["fields"], table, name);
  if (fields.length === 0 || fields.length > INDEX_FIELDS_MAX) {
    throw invalidFields(table, name, `has ${fields.length} fields, but 1 to ${INDEX_FIELDS_MAX} are allowed`);
  }
  if (fields.includes("_creationTime") || fields.includes("_id")) {
    throw invalidFields(
      table,
      name,
      "names _creationTime or _id, which every index has at its end without being told",
    );
  }
  return { kind: "db", name, fields, isStaged };
}

function parseSearch(json: JsonObject, table: string, isStaged: boolean): DeclaredIndex {
  const name = parseName(json, table);
  const [searchField = ""] = parseFields([json["searchField"] ?? null], table, name);
  const filterFields = parseFields(json["filterFields"] ?? [], table, name);
  if (filterFields.length > SEARCH_FILTER_FIELDS_MAX) {
    throw invalidFields(
      table,
      name,
      `has ${filterFields.length} filter fields, but at most ${SEARCH_FILTER_FIELDS_MAX} are allowed`,
    );
  }
  return { kind: "search", name, fields: [searchField, ...filterFields], isStaged };
}

function parseName(json: JsonObject, table: string): string {
  const name = requireString(json["indexDescriptor"], `The name of an index of table "${table}"`);
  if (name === BY_ID || name === BY_CREATION_TIME || name.startsWith("_")) {
    throw developerError("IndexNameReserved", `Index ${table}.${name} has a name that is reserved.`);
  }
  if (!IDENTIFIER.test(name) || name.length > IDENTIFIER_LENGTH_MAX) {
    throw developerError(
      "InvalidIndexName",
      `Index ${table}.${name} has an invalid name: use letters, digits and underscores (at most ${IDENTIFIER_LENGTH_MAX}), beginning with a letter.`,
    );
  }
  return name;
}

/** A path of identifiers; the engine's own fields are identifiers as well. */
const isPath = (field: string): boolean => field.split(".").every((step) => IDENTIFIER.test(step));

function parseFields(json: JsonValue | undefined, table: string, index: string): string[] {
  const fields = requireArray(json, `The fields of index ${table}.${index}`).map((field) =>
    requireString(field, `A field of index ${table}.${index}`),
  );
  if (new Set(fields).size < fields.length) {
    throw invalidFields(table, index, "names a field twice");
  }
  const wrong = fields.find((field) => !isPath(field));
  if (wrong !== undefined) {
    throw invalidFields(table, index, `has the invalid field path "${wrong}"`);
  }
  return fields;
}

const invalidFields = (table: string, index: string, reason: string) =>
  developerError("IndexFieldsInvalid", `Index ${table}.${index} ${reason}.`);
