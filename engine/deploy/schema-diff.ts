import { z } from "zod";
import type { JsonValue } from "../types";

const text = z.string();
const fields = z.array(z.string());

const tableJson = z.object({
  tableName: text,
  indexes: z.array(z.object({ indexDescriptor: text, fields })).default([]),
  searchIndexes: z
    .array(z.object({ indexDescriptor: text, searchField: text, filterFields: fields }))
    .nullish(),
  vectorIndexes: z
    .array(
      z.object({ indexDescriptor: text, vectorField: text, dimensions: z.number(), filterFields: fields }),
    )
    .nullish(),
});
const schemaJson = z.object({ tables: z.array(tableJson), schemaValidation: z.boolean().default(true) });

/** An index as the CLI prints it: `{name: "messages.by_author", type, ...}`. */
type IndexJson = { name: string; [field: string]: JsonValue };

export type IndexDiff = { added: IndexJson[]; removed: IndexJson[]; same: IndexJson[] };

export type SchemaOverview = { tables: string[]; schemaValidation: boolean };

export function overviewOf(schema: JsonValue | null): SchemaOverview {
  if (schema === null) return { tables: [], schemaValidation: false };
  const { tables, schemaValidation } = schemaJson.parse(schema);
  return { tables: tables.map((table) => table.tableName), schemaValidation };
}

function indexesOf(schema: JsonValue | null): Map<string, IndexJson> {
  const found = new Map<string, IndexJson>();
  if (schema === null) return found;
  for (const table of schemaJson.parse(schema).tables) {
    const name = (index: { indexDescriptor: string }) => `${table.tableName}.${index.indexDescriptor}`;
    const add = (index: IndexJson) => found.set(JSON.stringify(index), index);
    for (const index of table.indexes) {
      add({ name: name(index), type: "database", fields: [...index.fields, "_creationTime"] });
    }
    for (const index of table.searchIndexes ?? []) {
      add({
        name: name(index),
        type: "search",
        searchField: index.searchField,
        filterFields: index.filterFields,
      });
    }
    for (const index of table.vectorIndexes ?? []) {
      const { dimensions, vectorField, filterFields } = index;
      add({ name: name(index), type: "vector", dimensions, vectorField, filterFields });
    }
  }
  return found;
}

/** What changes between two schemas, index by index. An index with other fields is another index. */
export function diffIndexes(before: JsonValue | null, after: JsonValue | null): IndexDiff {
  const [old, next] = [indexesOf(before), indexesOf(after)];
  const without = (all: Map<string, IndexJson>, others: Map<string, IndexJson>) =>
    [...all].filter(([key]) => !others.has(key)).map(([, index]) => index);
  return {
    added: without(next, old),
    removed: without(old, next),
    same: [...next].filter(([key]) => old.has(key)).map(([, index]) => index),
  };
}

/** The same in the words of `start_push` and `finish_push`. */
export const indexDiffJson = (diff: IndexDiff): JsonValue => ({
  added_indexes: diff.added,
  removed_indexes: diff.removed,
  enabled_indexes: [],
  disabled_indexes: [],
});
