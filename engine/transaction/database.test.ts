import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FaultPoint } from "../faults";
import type { CommitNotice, Timestamp } from "../types";
import { encodeId } from "../values/id";
import {
  call,
  collect,
  fullScan,
  get,
  indexRange,
  insert,
  openTestDatabase,
  patch,
  remove,
  schemaOf,
  type TestDatabase,
} from "./test-database";

describe("a database", () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await openTestDatabase();
  });
  afterEach(() => test.close());

  it("shows a transaction its own writes and others nothing before the commit", async () => {
    const mutation = test.begin("mutation");
    const id = insert(mutation, "notes", { text: "a" });
    expect(get(mutation, id)).toMatchObject({ text: "a" });
    expect(get(test.begin("query"), id)).toBe(null);
    await test.db.commit(mutation);
    expect(get(test.begin("query"), id)).toEqual({ _id: id, _creationTime: test.clock.ms, text: "a" });
  });

  it("keeps a snapshot as it was while others commit", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const gone = await test.mutate((t) => insert(t, "notes", { n: 2 }));
    const old = test.begin("query");
    await test.mutate((t) => patch(t, id, { n: 10 }));
    await test.mutate((t) => remove(t, gone));
    await test.mutate((t) => insert(t, "notes", { n: 3 }));
    expect(collect(old, fullScan("notes")).map((doc) => doc["n"])).toEqual([1, 2]);
    expect(get(old, gone)).toMatchObject({ n: 2 });
    expect(collect(test.begin("query"), fullScan("notes")).map((doc) => doc["n"])).toEqual([10, 3]);
  });

  it("reads the snapshot of an earlier commit by its timestamp", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const ts = test.db.latestTs;
    await test.mutate((t) => patch(t, id, { n: 2 }));
    const then = test.begin("query", { ts });
    expect([then.beginTs, get(then, id)]).toMatchObject([ts, { n: 1 }]);
  });

  it("ends snapshots that are older than what it keeps, and calls it a conflict", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const ts = test.db.latestTs;
    const old = test.begin("mutation");
    await test.mutate((t) => patch(t, id, { n: 2 }));
    test.clock.ms += 61_000;
    await test.mutate((t) => patch(t, id, { n: 3 }));
    expect(() => get(old, id)).toThrow(expect.objectContaining({ kind: "conflict" }));
    expect(() => test.begin("query", { ts })).toThrow(expect.objectContaining({ kind: "conflict" }));
  });

  it("keeps no more old versions than fit into 64 MiB, except those of the last 30 seconds", async () => {
    const id = await test.mutate((t) => insert(t, "notes", {}));
    const first = test.begin("query");
    const write = (n: number) => test.mutate((t) => patch(t, id, { n, text: "x".repeat(1_000_000) }));
    for (let n = 0; n < 60; n += 1) {
      await write(n);
    }
    expect(get(first, id)).toMatchObject({ _id: id });
    for (let n = 60; n < 70; n += 1) {
      await write(n);
    }
    expect(get(first, id)).toMatchObject({ _id: id });
    test.clock.ms += 31_000;
    await write(70);
    expect(() => get(first, id)).toThrow(expect.objectContaining({ kind: "conflict" }));
  });

  it("keeps everything across a restart, timestamps rising although the clock went back", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const before = test.db.latestTs;
    test = await test.reopen();
    test.clock.ms -= 3_600_000;
    expect(test.db.latestTs).toBe(before);
    expect(get(test.begin("query"), id)).toMatchObject({ n: 1 });
    const mutation = test.begin("mutation");
    insert(mutation, "notes", { n: 2 });
    const { ts } = await test.db.commit(mutation);
    expect(ts > before).toBe(true);
    expect(collect(test.begin("query"), fullScan("notes"))).toHaveLength(2);
  });

  it("gives every commit a later timestamp, also within one millisecond", async () => {
    await test.mutate((t) => insert(t, "notes", {}));
    const seen: Timestamp[] = [];
    test.db.onCommit((commit) => seen.push(commit.ts));
    await Promise.all(Array.from({ length: 50 }, (_, n) => test.mutate((t) => insert(t, "notes", { n }))));
    test.clock.ms -= 5000;
    await test.mutate((t) => insert(t, "notes", { n: 50 }));
    expect(seen).toHaveLength(51);
    expect(seen.every((ts, i) => i === 0 || ts > (seen[i - 1] ?? 0n))).toBe(true);
  });

  it("orders documents by creation, each later than the one before it", async () => {
    for (let n = 0; n < 20; n += 1) {
      await test.mutate((t) => [insert(t, "notes", { n }), insert(t, "notes", { n: n + 0.5 })]);
    }
    const times = collect(test.begin("query"), fullScan("notes")).map((doc) => Number(doc["_creationTime"]));
    expect(new Set(times).size).toBe(40);
    expect(collect(test.begin("query"), fullScan("notes")).map((doc) => doc["n"])).toEqual(
      Array.from({ length: 40 }, (_, i) => i / 2),
    );
  });

  it("writes nothing and wakes nobody when a document stays the same", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1, text: "a" }));
    const before = test.db.latestTs;
    const query = test.begin("query");
    get(query, id);
    let woken = 0;
    test.db.watch(query.reads, query.beginTs, () => {
      woken += 1;
    });
    await test.mutate((t) => patch(t, id, { n: 1 }));
    await test.mutate((t) => call(t, "1.0/replace", { id, value: { text: "a", n: 1 } }));
    await test.mutate((t) => [patch(t, id, { n: 2 }), patch(t, id, { n: 1 })]);
    await test.mutate((t) => remove(t, insert(t, "notes", {})));
    expect([test.db.latestTs, woken]).toEqual([before, 0]);
  });

  it("removes a field that is patched with undefined, and only that", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { a: 1, b: { c: 2 } }));
    await test.mutate((t) => patch(t, id, { a: { $undefined: null }, d: 3 }));
    expect(get(test.begin("query"), id)).toEqual({
      _id: id,
      _creationTime: test.clock.ms,
      b: { c: 2 },
      d: 3,
    });
  });

  it("tells of each commit after it can be read, with the tables that changed", async () => {
    const notices: CommitNotice[] = [];
    const stop = test.db.onCommit((commit) => {
      expect(test.db.latestTs >= commit.ts).toBe(true);
      notices.push(commit);
    });
    await test.mutate((t) => [insert(t, "notes", {}), insert(t, "tags", {})]);
    stop();
    await test.mutate((t) => insert(t, "notes", {}));
    expect(notices.map((notice) => [...notice.tables])).toEqual([[":notes", ":tags"]]);
  });

  it("undoes the writes after a savepoint, but not the reads", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const mutation = test.begin("mutation");
    patch(mutation, id, { n: 2 });
    const outer = mutation.savepoint();
    const inner = mutation.savepoint();
    patch(mutation, id, { n: 3 });
    const other = insert(mutation, "fresh", {});
    mutation.rollbackTo(inner);
    expect([get(mutation, id), get(mutation, other)]).toMatchObject([{ n: 2 }, null]);
    expect(collect(mutation, fullScan("notes"))).toMatchObject([{ n: 2 }]);
    expect(collect(mutation, fullScan("fresh"))).toEqual([]);
    patch(mutation, id, { n: 4 });
    mutation.rollbackTo(outer);
    expect(get(mutation, id)).toMatchObject({ n: 2 });
    expect(mutation.metrics()["documentsWritten"]).toMatchObject({ used: 1 });
    await test.db.commit(mutation);
    expect(get(test.begin("query"), id)).toMatchObject({ n: 2 });
    expect(test.db.catalog.tableNames("")).toEqual(["notes"]);
  });

  it("creates a table once when two transactions insert its first rows", async () => {
    const [one, two] = [test.begin("mutation"), test.begin("mutation")];
    const id = insert(one, "notes", { n: 1 });
    insert(two, "notes", { n: 2 });
    await test.db.commit(one);
    await expect(test.db.commit(two)).rejects.toMatchObject({ kind: "conflict" });
    await test.mutate((t) => insert(t, "notes", { n: 3 }));
    expect(collect(test.begin("query"), fullScan("notes"))).toHaveLength(2);
    expect(get(test.begin("query"), id)).toMatchObject({ n: 1 });
  });

  it("answers nothing from a table that is missing, and wakes the reader when it comes to be", async () => {
    const query = test.begin("query");
    expect(collect(query, fullScan("later"))).toEqual([]);
    const woken = new Promise<Timestamp>((resolve) => test.db.watch(query.reads, query.beginTs, resolve));
    await test.mutate((t) => insert(t, "later", {}));
    expect(await woken).toBe(test.db.latestTs);
  });

  it("keeps the tables of components apart", async () => {
    const id = await test.mutate((t) => {
      insert(t, "notes", { of: "app" });
      return String(Object(call(t, "1.0/insert", { table: "notes", value: { of: "child" } }, "child"))._id);
    });
    const query = test.begin("query");
    expect(collect(query, fullScan("notes"))).toMatchObject([{ of: "app" }]);
    expect(collect(query, fullScan("notes"), [], "child")).toMatchObject([{ _id: id, of: "child" }]);
    expect(test.db.catalog.tableNames("child")).toEqual(["notes"]);
  });

  it("resolves the timestamp of the commit where a document asks for it", async () => {
    await test.db.catalog.applySchema("", schemaOf({ notes: { indexes: { by_at: ["at"] } } }));
    const mutation = test.begin("mutation");
    const id = insert(mutation, "notes", { at: { $commitTs: null }, text: '{"$commitTs":null}' });
    expect(get(mutation, id)).toMatchObject({ at: { $commitTs: null } });
    const { ts } = await test.db.commit(mutation);
    const at = Buffer.alloc(8);
    at.writeBigInt64LE(ts);
    const value = { $integer: at.toString("base64") };
    const range = [{ type: "Eq", fieldPath: "at", value }];
    expect(collect(test.begin("query"), indexRange("notes.by_at", range))).toMatchObject([
      { _id: id, at: value, text: '{"$commitTs":null}' },
    ]);
  });

  it("publishes a batch as a whole, after its fsync and before its answers", async () => {
    const order: string[] = [];
    await test.close();
    const at = (point: FaultPoint, ts: Timestamp) =>
      order.push(`${point} ${ts <= test.db.latestTs ? "readable" : "hidden"}`);
    test = await openTestDatabase({ faults: { at } });
    test.db.onCommit(() => order.push(`heard ${collect(test.begin("query"), fullScan("notes")).length}`));
    await test.mutate((t) => insert(t, "notes", {}));
    order.length = 0;
    await Promise.all(
      [1, 2].map(async (n) => {
        await test.mutate((t) => insert(t, "notes", { n }));
        order.push("answered");
      }),
    );
    expect(order).toEqual([
      "before_flush hidden",
      "mid_flush hidden",
      "after_commit_before_publish hidden",
      "heard 3",
      "heard 3",
      "after_publish readable",
      "answered",
      "answered",
    ]);
  });

  it("refuses commits after it is closed and keeps those that were accepted", async () => {
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const accepted = test.begin("mutation");
    patch(accepted, id, { n: 2 });
    const late = test.begin("mutation");
    insert(late, "notes", {});
    const answer = test.db.commit(accepted);
    const again = test.reopen();
    expect(() => collect(late, fullScan("notes"))).toThrow(expect.objectContaining({ kind: "overloaded" }));
    await expect(answer).resolves.toMatchObject({});
    await expect(test.db.commit(late)).rejects.toMatchObject({ kind: "overloaded" });
    test = await again;
    expect(get(test.begin("query"), id)).toMatchObject({ n: 2 });
  });

  it("fails a batch when the disk is full, applies none of it, and goes on when there is room", async () => {
    await test.close();
    test = await openTestDatabase({ pagesMax: 60 });
    const id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    const large = test.begin("mutation");
    insert(large, "notes", { text: "x".repeat(500_000) });
    const beside = test.begin("mutation");
    patch(beside, id, { n: 2 });
    const answers = await Promise.allSettled([test.db.commit(large), test.db.commit(beside)]);
    expect(answers).toMatchObject([
      { status: "rejected", reason: { kind: "overloaded" } },
      { status: "rejected", reason: { kind: "overloaded" } },
    ]);
    expect(collect(test.begin("query"), fullScan("notes"))).toMatchObject([{ n: 1 }]);
    await test.mutate((t) => patch(t, id, { n: 3 }));
    expect(get(test.begin("query"), id)).toMatchObject({ n: 3 });
  });
});

describe("database calls", () => {
  let test: TestDatabase;
  let id: string;
  beforeEach(async () => {
    test = await openTestDatabase();
    id = await test.mutate((t) => insert(t, "notes", { n: 1 }));
    await test.mutate((t) => insert(t, "tags", {}));
  });
  afterEach(() => test.close());

  const inMutation = (op: string, args: Parameters<typeof call>[2]) => () =>
    call(test.begin("mutation"), op, args);

  it.each(["1.0/get", "1.0/shallowMerge", "1.0/replace", "1.0/remove"])("%s refuses what is no id", (op) => {
    expect(inMutation(op, { id: "nope", value: {}, isSystem: false })).toThrow(
      "Unable to decode ID: Invalid ID length 4",
    );
  });

  it.each(["1.0/get", "1.0/shallowMerge", "1.0/replace", "1.0/remove"])(
    "%s refuses the id of another table",
    (op) => {
      expect(inMutation(op, { id, table: "tags", value: {}, isSystem: false })).toThrow(
        'expected to be an Id<"tags">, got Id<"notes"> instead.',
      );
    },
  );

  it("refuse to write documents that are gone", async () => {
    await test.mutate((t) => remove(t, id));
    expect(inMutation("1.0/shallowMerge", { id, value: {} })).toThrow(
      `Update on nonexistent document ID ${id}`,
    );
    expect(inMutation("1.0/replace", { id, value: {} })).toThrow(`Replace on nonexistent document ID ${id}`);
    expect(inMutation("1.0/remove", { id })).toThrow(`Delete on nonexistent document ID ${id}`);
  });

  it("find nothing behind the id of a table that is unknown", () => {
    const foreign = encodeId(12_345, new Uint8Array(16));
    expect(get(test.begin("query"), foreign)).toBe(null);
  });

  it("tell whether a text is an id of a table", () => {
    const normalize = (table: string, idString: string) =>
      call(test.begin("query"), "1.0/db/normalizeId", { table, idString });
    expect([
      normalize("notes", id),
      normalize("tags", id),
      normalize("notes", "x"),
      normalize("none", id),
    ]).toEqual([{ id }, { id: null }, { id: null }, { id: null }]);
  });

  it.each<[string, object, string]>([
    ["its own id", { _id: "x" }, "doesn't match '_id' field"],
    ["its own creation time", { _creationTime: 1 }, "doesn't match '_creationTime' field"],
    ["a field of the engine", { _x: 1 }, "Field '_x' starts with an underscore"],
    ["a field that is no identifier", { "a b": 1 }, "Field name a b is not valid in a document"],
    ["a field of 65 characters", { ["f".repeat(65)]: 1 }, "exceeds the maximum length 64"],
    [
      "17 levels",
      { a: JSON.parse("[".repeat(16) + "]".repeat(16)) },
      "Document is too nested (nested 17 levels deep > maximum nesting 16)",
    ],
    ["more than a mebibyte", { a: "x".repeat(1_048_576) }, "Value is too large (1 MiB > maximum size 1 MiB)"],
  ])("refuse a new document with %s", (_name, value, message) => {
    expect(inMutation("1.0/insert", { table: "notes", value: JSON.parse(JSON.stringify(value)) })).toThrow(
      message,
    );
  });

  it("accept the system fields where they are the document's own", async () => {
    const current = Object(get(test.begin("query"), id));
    await test.mutate((t) => call(t, "1.0/replace", { id, value: { ...current, n: 2 } }));
    expect(get(test.begin("query"), id)).toEqual({ ...current, n: 2 });
  });

  it.each(["", "_private", "a b", "1a", "___", "t".repeat(65)])("refuse the table name %j", (table) => {
    expect(inMutation("1.0/insert", { table, value: {} })).toThrow(/table/i);
  });

  it("keep functions away from the engine's tables", async () => {
    const [job, file] = await test.mutate((t) => [
      t.system.insert("_jobs", { jobId: "a" }),
      t.system.insert("_storage", { size: 1 }),
    ]);
    const query = test.begin("query");
    expect(call(query, "1.0/get", { id: file ?? "", isSystem: true })).toMatchObject({ size: 1 });
    expect(() => get(query, file ?? "")).toThrow("db.system");
    expect(() => call(query, "1.0/get", { id, isSystem: true })).toThrow("db.system");
    expect(call(query, "1.0/get", { id: job ?? "", isSystem: true })).toBe(null);
    expect(collect(query, fullScan("_jobs"))).toEqual([]);
    expect(collect(query, fullScan("_storage"))).toHaveLength(1);
    expect(inMutation("1.0/remove", { id: file ?? "" })).toThrow("only read");
    expect(inMutation("1.0/insert", { table: "_storage", value: {} })).toThrow("only read");
  });

  it("do not write in queries", () => {
    const query = test.begin("query");
    expect(() => insert(query, "notes", {})).toThrow("Queries cannot write");
    expect(() => remove(query, id)).toThrow("Queries cannot write");
  });

  it("name an index, an operation or a running query that does not exist", () => {
    const query = test.begin("query");
    expect(() => collect(query, indexRange("notes.by_x"))).toThrow("Index notes.by_x not found.");
    expect(() => collect(query, indexRange("none.by_x"))).toThrow("Index none.by_x not found.");
    expect(() => query.call("1.0/nope", "{}")).toThrow("Unknown async operation 1.0/nope");
    expect(query.answers("toString")).toBe(false);
    expect(() => call(query, "1.0/queryStreamNext", { queryId: 7 })).toThrow("in-progress query not found");
    expect(() => collect(query, { type: "Search", indexName: "notes.search", filters: [] })).toThrow(
      "Index notes.search not found.",
    );
  });

  it("count the rows of a table", async () => {
    await test.mutate((t) => {
      insert(t, "notes", {});
      expect(call(t, "1.0/count", { table: "notes" })).toBe(2);
    });
    expect(call(test.begin("query"), "1.0/count", { table: "none" })).toBe(0);
  });
});
