import { developerError } from "../errors";
import type { IndexRow, IndexState } from "../storage/store";
import type { JsonObject, JsonValue } from "../types";
import { encodeKey, type Key } from "../values/key";
import { IDENTIFIER_LENGTH_MAX } from "../values/limits";
import type { ValidatorJson } from "../values/validator";

export type IndexInfo = {
  readonly kind: "db";
  readonly xid: number;
  readonly name: string;
  /** Dotted paths, without the `_creationTime` and `_id` that every key ends with. */
  readonly fields: readonly string[];
  readonly paths: readonly (readonly string[])[];
};

export type SearchInfo = {
  readonly kind: "search";
  readonly xid: number;
  readonly name: string;
  readonly searchField: string;
  readonly path: readonly string[];
  /** In the order in which keys of filter values are stored. */
  readonly filterFields: readonly string[];
  readonly filterPaths: readonly (readonly string[])[];
};

export type AnyIndex = IndexInfo | SearchInfo;

/** An index that writes keep up to date although queries may not use it: staged, or of a push that is not finished. */
export type UnreadyIndex = { readonly index: AnyIndex; readonly state: Exclude<IndexState, "live"> };

export type TableInfo = {
  readonly tid: number;
  readonly component: string;
  readonly name: string;
  /** Part of every id of the table; unique within a component. */
  readonly number: number;
  /** Kept by the table itself, never stored apart. */
  readonly byId: IndexInfo;
  readonly byCreationTime: IndexInfo;
  /** Declared indexes by name, without the two above. */
  readonly indexes: ReadonlyMap<string, IndexInfo>;
  /** Declared search indexes by name. */
  readonly searches: ReadonlyMap<string, SearchInfo>;
  readonly unready: readonly UnreadyIndex[];
  /** What the schema demands of a document; null for undeclared and system tables. */
  readonly validator: ValidatorJson | null;
};

export const BY_ID = "by_id";
export const BY_CREATION_TIME = "by_creation_time";

/** Tables of the engine itself; functions see some of them through `db.system`. */
export const isSystemName = (name: string): boolean => name.startsWith("_");

/** `[A-Za-z_][A-Za-z0-9_]*`, but not underscores alone. */
const TABLE_NAME = /^(?=.*[A-Za-z0-9])[A-Za-z_][A-Za-z0-9_]*$/;

/** Throws a developer error where a table cannot be called so. */
export function checkTableName(name: string): void {
  if (!TABLE_NAME.test(name) || name.length > IDENTIFIER_LENGTH_MAX) {
    throw developerError(
      "InvalidTableName",
      `Invalid table name ${name}: use letters, digits and underscores (at most ${IDENTIFIER_LENGTH_MAX}), beginning with a letter.`,
    );
  }
}

/** Names the indexes that have entries on disk but belong to no table: being built, or dropped and not yet swept. */
export const LOOSE_INDEXES_META = "loose_indexes";

/** How a table is called in commit notices. */
export const qualifiedName = (table: TableInfo): string => `${table.component}:${table.name}`;

export function indexInfo(xid: number, name: string, fields: readonly string[]): IndexInfo {
  return { kind: "db", xid, name, fields, paths: fields.map(pathOf) };
}

export function searchInfo(
  xid: number,
  name: string,
  searchField: string,
  filterFields: readonly string[],
): SearchInfo {
  const path = pathOf(searchField);
  return {
    kind: "search",
    xid,
    name,
    searchField,
    path,
    filterFields,
    filterPaths: filterFields.map(pathOf),
  };
}

const pathOf = (field: string): string[] => field.split(".");

/** All fields of an index; the first one of a search index is the one that is searched. */
export const indexFields = (index: AnyIndex): readonly string[] =>
  index.kind === "db" ? index.fields : [index.searchField, ...index.filterFields];

/** How an index is written in the catalog. */
export const indexRow = (tid: number, index: AnyIndex, state: IndexState, builtTo: Key | null): IndexRow => ({
  xid: index.xid,
  tid,
  name: index.name,
  kind: index.kind,
  fields: indexFields(index),
  state,
  builtTo,
});

/** The same, read. */
export function indexOfRow({ xid, name, kind, fields: [first = "", ...rest] }: IndexRow): AnyIndex {
  return kind === "search"
    ? searchInfo(xid, name, first, rest)
    : indexInfo(xid, name, first === "" ? [] : [first, ...rest]);
}

/** Every index of a table that has entries on disk, or may have: those that writes keep, with their state. */
export const indexesOf = (table: TableInfo): { readonly index: AnyIndex; readonly state: IndexState }[] => [
  ...[table.byId, table.byCreationTime, ...table.indexes.values(), ...table.searches.values()].map(
    (index) => ({ index, state: "live" as const }),
  ),
  ...table.unready,
];

/** Every search index of a table that writes have to keep. */
export function searchesOf(table: TableInfo): SearchInfo[] {
  const searches = [...table.searches.values()];
  for (const { index } of table.unready) {
    if (index.kind === "search") {
      searches.push(index);
    }
  }
  return searches;
}

/** The index called `name`, the implicit ones included. */
export function findIndex(table: TableInfo, name: string): IndexInfo | null {
  if (name === BY_ID) {
    return table.byId;
  }
  return name === BY_CREATION_TIME ? table.byCreationTime : (table.indexes.get(name) ?? null);
}

/** Fields that a range over the index may name, in order. */
export function rangeFields(index: IndexInfo): string[] {
  return index.name === BY_ID ? ["_id"] : [...index.fields, "_creationTime", "_id"];
}

/** The value at a path; undefined where a step is missing or not an object. */
export function valueAt(document: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const step of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = value[step];
  }
  return value;
}

/** The key of a document in every index of its table, by xid. */
export function documentKeys(table: TableInfo, id: string, document: JsonObject): Map<number, Key> {
  const idKey = encodeKey(id);
  const tail = encodeKey(document["_creationTime"]) + idKey;
  const keys = new Map<number, Key>([
    [table.byId.xid, idKey],
    [table.byCreationTime.xid, tail],
  ]);
  for (const index of table.indexes.values()) {
    keys.set(index.xid, entryKey(index, document, tail));
  }
  for (const { index } of table.unready) {
    if (index.kind === "db") {
      keys.set(index.xid, entryKey(index, document, tail));
    }
  }
  return keys;
}

/** The key of a document in one declared index; `tail` are the keys of its creation time and id. */
export function entryKey(index: IndexInfo, document: JsonObject, tail: Key): Key {
  let key = "";
  for (const path of index.paths) {
    key += encodeKey(valueAt(document, path));
  }
  return key + tail;
}
