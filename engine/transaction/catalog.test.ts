import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../types";
import { encodeId } from "../values/id";
import {
  call,
  collect,
  fullScan,
  indexRange,
  insert,
  objectType,
  openTestDatabase,
  patch,
  remove,
  schemaOf,
  type TestDatabase,
} from "./test-database";

const searchIndex = (indexDescriptor: string, filterFields: string[] = []) => ({
  indexDescriptor,
  searchField: "body",
  filterFields,
});
const byN = schemaOf({ notes: { indexes: { by_n: ["n"] } } });
const numbers = (rows: JsonObject[]) => rows.map((doc) => doc["n"]);

describe("schemas", () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await openTestDatabase();
  });
  afterEach(() => test.close());

  const apply = (schema: JsonObject | null, component = "") => test.db.catalog.applySchema(component, schema);
  const scanByN = () => numbers(collect(test.begin("query"), indexRange("notes.by_n")));

  it("index the rows that are there, in the order of the fields", async () => {
    await test.mutate((t) => [3, 1, 2].map((n) => insert(t, "notes", { n })));
    await apply(byN);
    expect(scanByN()).toEqual([1, 2, 3]);
    await test.mutate((t) => insert(t, "notes", { n: 1.5 }));
    test = await test.reopen();
    expect(scanByN()).toEqual([1, 1.5, 2, 3]);
  });

  it("index fields inside objects, where they are there", async () => {
    await apply(schemaOf({ notes: { indexes: { by_n: ["a.b"] } } }));
    await test.mutate((t) =>
      [
        { n: 1, a: { b: 2 } },
        { n: 2, a: { b: 1 } },
        { n: 3, a: 5 },
      ].map((doc) => insert(t, "notes", doc)),
    );
    expect(scanByN()).toEqual([3, 2, 1]);
  });

  it("index rows that are written while the index is being built", async () => {
    const ids = await test.mutate((t) => Array.from({ length: 1000 }, (_, n) => insert(t, "notes", { n })));
    const done = apply(byN);
    for (let n = 0; n < 40; n += 1) {
      await test.mutate((t) => {
        patch(t, ids[n] ?? "", { n: 5000 + n });
        patch(t, ids[999 - n] ?? "", { n: -n });
        remove(t, ids[500 + n] ?? "");
        insert(t, "notes", { n: 7000 + n });
      });
    }
    await done;
    const all = numbers(collect(test.begin("query"), fullScan("notes"))).map(Number);
    expect(scanByN()).toEqual(all.sort((a, b) => a - b));
    expect(all.length).toBe(1000);
  });

  it("that index other fields under a known name build that index anew", async () => {
    await apply(byN);
    await test.mutate((t) => [insert(t, "notes", { n: 1, m: 2 }), insert(t, "notes", { n: 2, m: 1 })]);
    await apply(schemaOf({ notes: { indexes: { by_n: ["m"] } } }));
    expect(scanByN()).toEqual([2, 1]);
  });

  it("that leave an index or a table out drop the indexes and keep the rows", async () => {
    await apply(byN);
    await test.mutate((t) => insert(t, "notes", { n: 1 }));
    await apply(null);
    expect(() => scanByN()).toThrow("Index notes.by_n not found.");
    expect(numbers(collect(test.begin("query"), fullScan("notes")))).toEqual([1]);
    await apply(byN);
    expect(scanByN()).toEqual([1]);
  });

  it("hold every write against the declared type, and leave undeclared tables free", async () => {
    await apply(schemaOf({ notes: { documentType: objectType({ n: "number" }) } }));
    const failure =
      'Failed to insert or update a document in table "notes" because it does not match the schema: ';
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const mutation = test.begin("mutation");
    expect(() => insert(mutation, "notes", {})).toThrow(
      `${failure}Object is missing the required field \`n\``,
    );
    expect(() => patch(mutation, id, { n: "x" })).toThrow(`${failure}Value does not match validator.`);
    expect(() => patch(mutation, id, { m: 1 })).toThrow(`${failure}Object contains extra field \`m\``);
    insert(mutation, "others", { anything: true });
    await test.db.commit(mutation);
    test = await test.reopen();
    expect(() => insert(test.begin("mutation"), "notes", {})).toThrow(failure);
  });

  it("know ids by their table, within the component", async () => {
    await apply(
      schemaOf({
        users: {},
        notes: {
          documentType: {
            type: "object",
            value: { by: { fieldType: { type: "id", tableName: "users" }, optional: false } },
          },
        },
      }),
    );
    await test.mutate((t) => {
      const by = insert(t, "users", {});
      insert(t, "notes", { by });
      expect(() => insert(t, "notes", { by: encodeId(9, new Uint8Array(16)) })).toThrow(
        "which does not match",
      );
      expect(() => insert(t, "notes", { by: encodeId(30_000, new Uint8Array(16)) })).toThrow(
        "Value does not match",
      );
    });
    expect(test.db.catalog.tableNumber("", "users")).toBeGreaterThan(10_000);
    expect(test.db.catalog.tableNumber("child", "users")).toBe(null);
  });

  it("with a row that breaks them fail as a whole and name it", async () => {
    await apply(byN);
    const id = await test.mutate(
      (t) => [insert(t, "notes", { n: 1 }), insert(t, "notes", { n: "two" })][1] ?? "",
    );
    const strict = schemaOf({
      fresh: {},
      notes: { indexes: { by_n2: ["n"] }, documentType: objectType({ n: "number" }) },
    });
    const message = `Document with ID "${id}" in table "notes" does not match the schema: Value does not match validator.`;
    await expect(test.db.catalog.checkSchema("", strict)).rejects.toThrow(message);
    await expect(apply(strict)).rejects.toThrow(message);
    expect(test.db.catalog.tableNames("")).toEqual(["notes"]);
    expect(scanByN()).toEqual([1, "two"]);
    await test.mutate((t) => insert(t, "notes", { anything: 1 }));
    test = await test.reopen();
    expect(scanByN()).toEqual([undefined, 1, "two"]);
  });

  it("with a row that is broken while they are applied fail as well", async () => {
    const ids = await test.mutate((t) => Array.from({ length: 600 }, (_, n) => insert(t, "notes", { n })));
    const done = apply(schemaOf({ notes: { documentType: objectType({ n: "number" }) } }));
    await test.mutate((t) => patch(t, ids[0] ?? "", { n: "late" }));
    await expect(done).rejects.toThrow(`Document with ID "${ids[0]}"`);
  });

  it("that are only checked change nothing", async () => {
    await test.mutate((t) => insert(t, "notes", { n: 1 }));
    await test.db.catalog.checkSchema("", schemaOf({ fresh: {}, notes: { indexes: { by_n: ["n"] } } }));
    expect(test.db.catalog.tableNames("")).toEqual(["notes"]);
    expect(() => scanByN()).toThrow("not found");
  });

  it("end the transactions that began before them", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const [writer, reader] = [test.begin("mutation"), test.begin("query")];
    patch(writer, id, { n: "two" });
    await apply(schemaOf({ notes: { documentType: objectType({ n: "number" }) } }));
    await expect(test.db.commit(writer)).rejects.toMatchObject({ kind: "conflict" });
    expect(() => collect(reader, fullScan("notes"))).toThrow(expect.objectContaining({ kind: "conflict" }));
  });

  it("wake every subscription", async () => {
    const query = test.begin("query");
    expect(() => collect(query, indexRange("notes.by_n"))).toThrow();
    const woken = new Promise((resolve) => test.db.watch(query.reads, query.beginTs, resolve));
    await apply(byN);
    await woken;
  });

  it("that are in force already disturb nobody", async () => {
    await apply(byN);
    const before = test.db.latestTs;
    const writer = test.begin("mutation");
    insert(writer, "notes", { n: 1 });
    await apply(byN);
    expect(test.db.latestTs).toBe(before);
    await test.db.commit(writer);
    expect(scanByN()).toEqual([1]);
  });

  it("of several components come into force in one commit, with what is written along", async () => {
    const seen: string[][] = [];
    test.db.onCommit(({ tables }) => void seen.push([...tables]));
    const before = test.db.latestTs;
    const both = new Map([
      ["", byN],
      ["child", byN],
    ]);
    await test.db.catalog.applySchemas(both, () => {
      const along = test.begin("mutation");
      along.system.insert("_environment", { name: "PUSHED", value: "yes" });
      return along;
    });
    expect(test.db.latestTs).toBeGreaterThan(before);
    expect(seen).toEqual([[":_environment"]]);
    expect([test.db.catalog.tableNames("child"), test.db.catalog.tableNames("")]).toEqual([
      ["notes"],
      ["notes"],
    ]);
    test = await test.reopen();
    expect(test.begin("query").system.list("_environment", "by_name", { limit: 2 })).toMatchObject([
      { name: "PUSHED" },
    ]);
    expect(test.db.catalog.tableNames("child")).toEqual(["notes"]);
  });

  it("of several components change nothing, and nothing is written along, where one is broken", async () => {
    const row = test.begin("mutation");
    call(row, "1.0/insert", { table: "notes", value: { n: "text" } }, "child");
    await test.db.commit(row);
    const ofNumbers = schemaOf({ notes: { documentType: objectType({ n: "number" }) } });
    const both = new Map([
      ["", ofNumbers],
      ["child", ofNumbers],
    ]);
    const applied = test.db.catalog.applySchemas(both, () => {
      const along = test.begin("mutation");
      along.system.insert("_environment", { name: "PUSHED", value: "yes" });
      return along;
    });
    await expect(applied).rejects.toMatchObject({ code: "SchemaValidationError" });
    expect(test.db.catalog.tableNames("")).toEqual([]);
    expect(test.begin("query").system.list("_environment", "by_name", { limit: 2 })).toEqual([]);
  });

  it("apply to one component", async () => {
    await apply(byN, "child");
    expect([test.db.catalog.tableNames("child"), test.db.catalog.tableNames("")]).toEqual([["notes"], []]);
  });

  it.each<[string, JsonObject, string]>([
    ["a vector index", { vectorIndexes: [{ indexDescriptor: "s" }] }, "this backend has no vector search"],
    [
      "a staged vector index",
      { stagedVectorIndexes: [{ indexDescriptor: "s" }] },
      'Table "notes" declares the vector index "s"',
    ],
    [
      "five search indexes",
      {
        searchIndexes: [1, 2, 3].map((n) => searchIndex(`s${n}`)),
        stagedSearchIndexes: [4, 5].map((n) => searchIndex(`s${n}`)),
      },
      "has 5 search indexes, but at most 4 are allowed",
    ],
    [
      "17 filter fields",
      {
        searchIndexes: [
          searchIndex(
            "s",
            Array.from({ length: 17 }, (_, i) => `f${i}`),
          ),
        ],
      },
      "has 17 filter fields, but at most 16 are allowed",
    ],
    [
      "one name for two kinds of index",
      { indexes: [{ indexDescriptor: "s", fields: ["a"] }], stagedSearchIndexes: [searchIndex("s")] },
      "Index notes.s is declared twice",
    ],
    [
      "an index over a field that no document may have",
      {
        searchIndexes: [searchIndex("s", ["a.b"])],
        documentType: objectType({ a: "string", body: "string" }),
      },
      'In table "notes" the index "s" is invalid because it references the field a.b that does not exist.',
    ],
    [
      "a reserved index name",
      { indexes: [{ indexDescriptor: "by_id", fields: ["a"] }] },
      "has a name that is reserved",
    ],
    ["an index without fields", { indexes: [{ indexDescriptor: "by_a", fields: [] }] }, "0 fields"],
    [
      "17 fields",
      { indexes: [{ indexDescriptor: "by_a", fields: Array.from({ length: 17 }, (_, i) => `f${i}`) }] },
      "17 fields",
    ],
    ["a field twice", { indexes: [{ indexDescriptor: "by_a", fields: ["a", "a"] }] }, "names a field twice"],
    [
      "_creationTime in an index",
      { indexes: [{ indexDescriptor: "by_a", fields: ["a", "_creationTime"] }] },
      "without being told",
    ],
    [
      "an index twice",
      { indexes: [1, 2].map(() => ({ indexDescriptor: "by_a", fields: ["a"] })) },
      "Index notes.by_a is declared twice",
    ],
    [
      "33 indexes",
      { indexes: Array.from({ length: 33 }, (_, i) => ({ indexDescriptor: `by_${i}`, fields: ["a"] })) },
      "at most 32",
    ],
    ["a table of the engine", { tableName: "_notes" }, 'Invalid table name "_notes"'],
  ])("refuse %s", async (_name, table, message) => {
    const schema = { schemaValidation: true, tables: [{ tableName: "notes", indexes: [], ...table }] };
    await expect(apply(schema)).rejects.toThrow(message);
  });
});

describe("system rows", () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await openTestDatabase();
  });
  afterEach(() => test.close());

  it("are listed by index, between bounds, in both directions", async () => {
    await test.mutate((t) => {
      for (const dueMs of [30, 10, 20, 40]) {
        t.system.insert("_jobs", { jobId: `j${dueMs}`, state: dueMs === 40 ? "done" : "pending", dueMs });
      }
    });
    const list = (options: object) =>
      test
        .begin("query")
        .system.list("_jobs", "by_state_and_dueMs", { equals: ["pending"], limit: 9, ...options })
        .map((job) => job["dueMs"]);
    expect(list({})).toEqual([10, 20, 30]);
    expect(list({ upTo: 20 })).toEqual([10, 20]);
    expect(list({ after: 10 })).toEqual([20, 30]);
    expect(list({ after: 10, upTo: 20 })).toEqual([20]);
    expect(list({ order: "desc", limit: 2 })).toEqual([30, 20]);
    expect(list({ equals: ["gone"] })).toEqual([]);
  });

  it("share transaction, conflict check and subscriptions with everything else", async () => {
    const id = await test.mutate((t) => t.system.insert("_environment", { name: "A", value: "1" }));
    const query = test.begin("query");
    expect(query.system.get(id)).toMatchObject({ name: "A", value: "1" });
    const woken = new Promise((resolve) => test.db.watch(query.reads, query.beginTs, resolve));
    const loser = test.begin("mutation");
    loser.system.patch(id, { value: "2" });
    await test.mutate((t) => t.system.patch(id, { value: undefined, note: "x" }));
    await woken;
    await expect(test.db.commit(loser)).rejects.toMatchObject({ kind: "conflict" });
    const row = test.begin("query").system.get(id);
    expect(row).toEqual({ _id: id, _creationTime: row?._creationTime, name: "A", note: "x" });
    await test.mutate((t) => t.system.delete(id));
    expect(test.begin("query").system.get(id)).toBe(null);
    expect(() => test.begin("mutation").system.delete(id)).toThrow("no system row");
  });

  it("of a component are its own", async () => {
    const id = await test.mutate((t) => t.system.insert("_storage", { size: 1 }, "child"));
    const query = test.begin("query");
    expect([query.system.get(id), query.system.get(id, "child")]).toMatchObject([null, { size: 1 }]);
    expect(query.system.list("_storage", "by_creation_time", { limit: 9, component: "child" })).toHaveLength(
      1,
    );
  });
});
