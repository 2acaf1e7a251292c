import { z } from "zod";
import type { JsonValue } from "../types";

const text = z.string();
const fields = z.array(z.string());
const dbIndexes = z.array(z.object({ indexDescriptor: text, fields })).nullish();
const searchIndexes = z
  .array(z.object({ indexDescriptor: text, searchField: text, filterFields: fields.default([]) }))
  .nullish();

const tableJson = z.object({
  tableName: text,
  indexes: dbIndexes,
  stagedDbIndexes: dbIndexes,
  searchIndexes,
  stagedSearchIndexes: searchIndexes,
});
const schemaJson = z.object({ tables: z.array(tableJson), schemaValidation: z.boolean().default(true) });

/** An index as the CLI prints it: `{name: "messages.by_author", type, ..., staged}`. */
type IndexJson = { name: string; staged: boolean; [field: string]: JsonValue };

export type IndexDiff = {
  added: IndexJson[];
  removed: IndexJson[];
  /** Staged before, to be used from now on. */
  enabled: IndexJson[];
  /** To be used before, staged from now on. */
  disabled: IndexJson[];
  same: IndexJson[];
};

export type SchemaOverview = { tables: string[]; schemaValidation: boolean };

export function overviewOf(schema: JsonValue | null): SchemaOverview {
  if (schema === null) return { tables: [], schemaValidation: false };
  const { tables, schemaValidation } = schemaJson.parse(schema);
  return { tables: tables.map((table) => table.tableName), schemaValidation };
}

/** All indexes, by what they index: staged or not, it is the same index. */
function indexesOf(schema: JsonValue | null): Map<string, IndexJson> {
  const found = new Map<string, IndexJson>();
  for (const table of schema === null ? [] : schemaJson.parse(schema).tables) {
    const add = (index: { [field: string]: JsonValue }, descriptor: string, staged: boolean) => {
      const named = { name: `${table.tableName}.${descriptor}`, ...index };
      found.set(JSON.stringify(named), { ...named, staged });
    };
    const addDb = (indexes: z.infer<typeof dbIndexes>, staged: boolean) => {
      for (const { indexDescriptor, fields: indexed } of indexes ?? []) {
        add({ type: "database", fields: [...indexed, "_creationTime"] }, indexDescriptor, staged);
      }
    };
    const addSearch = (indexes: z.infer<typeof searchIndexes>, staged: boolean) => {
      for (const { indexDescriptor, searchField, filterFields } of indexes ?? []) {
        add({ type: "search", searchField, filterFields }, indexDescriptor, staged);
      }
    };
    addDb(table.indexes, false);
    addDb(table.stagedDbIndexes, true);
    addSearch(table.searchIndexes, false);
    addSearch(table.stagedSearchIndexes, true);
  }
  return found;
}

/** What changes between two schemas, index by index. An index with other fields is another index. */
export function diffIndexes(before: JsonValue | null, after: JsonValue | null): IndexDiff {
  const [old, next] = [indexesOf(before), indexesOf(after)];
  const without = (all: Map<string, IndexJson>, others: Map<string, IndexJson>) =>
    [...all].filter(([key]) => !others.has(key)).map(([, index]) => index);
  const kept = [...next].flatMap(([key, index]) => {
    const was = old.get(key);
    return was === undefined ? [] : [{ index, wasStaged: was.staged }];
  });
  const where = (wasStaged: boolean, staged: boolean) =>
    kept
      .filter((item) => item.wasStaged === wasStaged && item.index.staged === staged)
      .map(({ index }) => index);
  return {
    added: without(next, old),
    removed: without(old, next),
    enabled: where(true, false),
    disabled: where(false, true),
    same: [...where(false, false), ...where(true, true)],
  };
}

/** The same in the words of `start_push` and `finish_push`. */
export const indexDiffJson = (diff: IndexDiff): JsonValue => ({
  added_indexes: diff.added,
  removed_indexes: diff.removed,
  enabled_indexes: diff.enabled,
  disabled_indexes: diff.disabled,
});
