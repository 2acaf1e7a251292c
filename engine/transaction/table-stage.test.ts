import { afterEach, beforeEach, expect, test } from "vitest";
import { isJsonObject, parseJson, requireObject } from "../json";
import { openSqlite } from "../storage/driver";
import type { JsonObject, StagedRow } from "../types";
import { call, insert, openTestDatabase, type TestDatabase } from "./test-database";

let database: TestDatabase;

beforeEach(async () => {
  database = await openTestDatabase();
});
afterEach(() => database.close());

const row = (n: number): StagedRow => ({ label: `Row ${n}`, id: null, creationTime: null, fields: { n } });
const rowsOf = (count: number) => Array.from({ length: count }, (_, n) => row(n));

async function read(table = "rows") {
  const held = database.db.hold();
  const found: unknown[] = [];
  for await (const page of held.pages("", table)) {
    for (const { text } of page) {
      const json = parseJson(text, "A row");
      found.push(isJsonObject(json) ? json["n"] : null);
    }
  }
  held.close();
  return found.length;
}

/** Rows on disk, whether or not any table has them. */
function rowsOnDisk(): number {
  const sqlite = openSqlite(`${database.dataDir}/engine.sqlite3`);
  const count = sqlite
    .prepare("SELECT count(*) AS n FROM docs JOIN (SELECT 1) WHERE val LIKE '%\"n\":%'")
    .get()?.["n"];
  sqlite.close();
  return Number(count);
}

test("what was staged when the process ended is gone from the disk after the next start", async () => {
  await database.mutate((transaction) => insert(transaction, "rows", { n: 1 }));
  const stage = database.db.stage();
  stage.add({ component: "", name: "rows", number: null });
  stage.write("", "rows", rowsOf(1_200));
  await database.db.close();
  expect(rowsOnDisk()).toBe(1_201);
  database = await database.reopen();
  expect(await read()).toBe(1);
  await expect
    .poll(async () => {
      await database.db.close();
      const rows = rowsOnDisk();
      database = await database.reopen();
      return rows;
    })
    .toBe(1);
  // Numbers of tables that were swept are not given to others before that.
  await database.mutate((transaction) => insert(transaction, "others", { n: 2 }));
  expect([await read(), await read("others")]).toEqual([1, 1]);
});

test("replaced rows stay readable for whoever holds a snapshot, and go afterwards", async () => {
  await database.mutate((transaction) => insert(transaction, "rows", { n: 1 }));
  const held = database.db.hold();
  const stage = database.db.stage();
  stage.add({ component: "", name: "rows", number: null });
  stage.write("", "rows", rowsOf(3));
  await stage.apply("label");
  expect(await read()).toBe(3);
  const seen: string[] = [];
  for await (const page of held.pages("", "rows")) seen.push(...page.map(({ text }) => text));
  expect(seen.length).toBe(1);
  held.close();
  await database.db.close();
  database = await database.reopen();
  expect([await read(), database.db.lastApplied()]).toEqual([3, "label"]);
});

test("a mutation that began before the switch does not write to what was replaced", async () => {
  await database.mutate((transaction) => insert(transaction, "rows", { n: 1 }));
  const mutation = database.begin("mutation");
  insert(mutation, "rows", { n: 2 });
  const stage = database.db.stage();
  stage.add({ component: "", name: "rows", number: null });
  stage.write("", "rows", rowsOf(3));
  await stage.apply("");
  await expect(database.db.commit(mutation)).rejects.toMatchObject({ kind: "conflict" });
  expect(await read()).toBe(3);
});

test("a table that came into being meanwhile is seen at the end", async () => {
  const stage = database.db.stage();
  stage.add({ component: "", name: "rows", number: null, mustBeEmpty: true });
  stage.write("", "rows", rowsOf(2));
  await database.mutate((transaction) => insert(transaction, "rows", { n: 9 }));
  await expect(stage.apply("")).rejects.toMatchObject({ code: "ImportConflict" });
  expect([await read(), database.db.lastApplied()]).toEqual([1, null]);
});

test("only one stage is open at a time, and a discarded one makes room", async () => {
  const stage = database.db.stage();
  expect(() => database.db.stage()).toThrow(/imported already/);
  await stage.discard();
  await database.db.stage().discard();
});

test("indexes and search indexes of a table hold the rows that came, and not those that went", async () => {
  const schema = {
    tables: [
      {
        tableName: "rows",
        indexes: [{ indexDescriptor: "by_text", fields: ["text"] }],
        searchIndexes: [{ indexDescriptor: "search", searchField: "text", filterFields: [] }],
        documentType: null,
      },
    ],
    schemaValidation: false,
  };
  await database.db.catalog.applySchema("", schema);
  await database.mutate((transaction) => insert(transaction, "rows", { text: "old words" }));
  const stage = database.db.stage();
  stage.add({ component: "", name: "rows", number: null });
  stage.write("", "rows", [{ ...row(1), fields: { text: "new words" } }]);
  await stage.apply("");
  const first = (source: JsonObject) => {
    const transaction = database.begin("query");
    const { queryId } = requireObject(
      call(transaction, "1.0/queryStream", { query: { source, operators: [] }, version: "1.48.0" }),
      "The answer",
    );
    return requireObject(
      call(transaction, "1.0/queryStreamNext", { queryId: queryId ?? null }),
      "The answer",
    )["value"];
  };
  const search = (value: string): JsonObject => ({
    type: "Search",
    indexName: "rows.search",
    filters: [{ type: "Search", fieldPath: "text", value }],
  });
  const range: JsonObject = { type: "IndexRange", indexName: "rows.by_text", range: [], order: "asc" };
  expect(first(search("new"))).toMatchObject({ text: "new words" });
  expect(first(search("old"))).toBeNull();
  expect(first(range)).toMatchObject({ text: "new words" });
});
