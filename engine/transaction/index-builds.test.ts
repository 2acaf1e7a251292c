import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JsonObject, SchemaProgress } from "../types";
import {
  collect,
  fullScan,
  indexRange,
  insert,
  objectType,
  openTestDatabase,
  patch,
  remove,
  schemaOf,
  search,
  type TestDatabase,
} from "./test-database";

const PLAIN = schemaOf({ notes: {} });
const LIVE = schemaOf({ notes: { indexes: { by_n: ["n"] }, searches: { by_text: ["text", "n"] } } });
const STAGED = schemaOf({ notes: { staged: { by_n: ["n"] }, stagedSearches: { by_text: ["text", "n"] } } });

const numbers = (rows: JsonObject[]) => rows.map((row) => row["n"]).sort();

describe("an index", () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await openTestDatabase();
  });
  afterEach(() => test.close());

  const apply = (schema: JsonObject) => test.db.catalog.applySchema("", schema);
  const fill = (count: number) =>
    test.mutate((t) =>
      Array.from({ length: count }, (_, n) => insert(t, "notes", { n, text: `note word${n % 7}` })),
    );
  const byN = (t = test.begin("query")) => collect(t, indexRange("notes.by_n"));
  const byText = (text: string, equals = {}, t = test.begin("query")) =>
    collect(t, search("notes.by_text", "text", text, equals));
  const progressOf = async (schema: JsonObject) => {
    const seen: SchemaProgress[] = [];
    await test.db.catalog.prepareSchema("", schema, (progress) => seen.push(progress));
    return seen;
  };
  /** What the index has, beside what there is. */
  const expectComplete = () => {
    const all = collect(test.begin("query"), fullScan("notes"));
    expect(numbers(byN())).toEqual(numbers(all));
    for (const word of ["word1", "changed"]) {
      const having = all.filter((row) => String(row["text"]).split(" ").includes(word));
      expect(numbers(byText(word))).toEqual(numbers(having));
    }
  };
  /** Changes rows that the build has passed, rows that it has not, and adds some. */
  const disturb = async (ids: readonly string[]) => {
    const id = (n: number) => ids[n] ?? "";
    for (let i = 0; i < 20; i += 1) {
      await test.mutate((t) => {
        patch(t, id(i), { n: 5000 + i, text: "note changed" });
        patch(t, id(ids.length - 1 - i), { text: "note changed" });
        patch(t, id(100 + i), { seen: true });
        remove(t, id(300 + i));
        insert(t, "notes", { n: 7000 + i, text: "note word1 changed" });
      });
    }
  };

  it("has the rows that were there and those that are written while it is built", async () => {
    await apply(PLAIN);
    const ids = await fill(900);
    const done = apply(LIVE);
    await disturb(ids);
    await done;
    expectComplete();
    test = await test.reopen();
    expectComplete();
  });

  it("is built in advance, in small steps, and comes into force at once", async () => {
    await apply(PLAIN);
    await fill(900);
    const seen = await progressOf(LIVE);
    expect(seen.at(0)).toEqual({ component: "", checked: false, indexesBuilt: 0, indexesTotal: 2 });
    expect(seen.at(-1)).toEqual({ component: "", checked: true, indexesBuilt: 2, indexesTotal: 2 });
    expect(() => byN()).toThrow("Index notes.by_n is currently backfilling and not available to query yet.");
    await test.mutate((t) => insert(t, "notes", { n: -1, text: "late changed" }));
    await apply(LIVE);
    expectComplete();
  });

  it("that is staged is built in the background, cannot be queried, and is enabled without being built again", async () => {
    await apply(PLAIN);
    const ids = await fill(900);
    await apply(STAGED);
    for (const query of [() => byN(), () => byText("note")]) {
      expect(query).toThrow(/is currently staged and not available to query until it is enabled\.$/);
    }
    await disturb(ids);
    // Preparing waits for what the background has not finished.
    await progressOf(LIVE);
    await apply(STAGED);
    await test.mutate((t) => insert(t, "notes", { n: -1, text: "late changed" }));
    expect((await progressOf(LIVE)).at(0)).toMatchObject({ indexesTotal: 0 });
    await apply(LIVE);
    expectComplete();
    await apply(STAGED);
    expect(() => byN()).toThrow("Index notes.by_n is currently staged");
  });

  it("that is staged goes on being built after a restart", async () => {
    await apply(PLAIN);
    const ids = await fill(900);
    await apply(STAGED);
    await nextTurn();
    test = await test.reopen();
    await disturb(ids);
    test = await test.reopen();
    await apply(LIVE);
    expectComplete();
  });

  it("of a push that never finished is gone after a restart, and can be pushed again", async () => {
    await apply(PLAIN);
    const ids = await fill(900);
    const cut = apply(LIVE).catch((error: { kind: string }) => error.kind);
    await nextTurn();
    await nextTurn();
    test = await test.reopen();
    expect(await cut).toBe("overloaded");
    expect(() => byN()).toThrow("Index notes.by_n not found.");
    await disturb(ids);
    await apply(LIVE);
    expectComplete();
  });

  it("of a push that fails is gone", async () => {
    await apply(PLAIN);
    const [first = ""] = await fill(300);
    await test.mutate((t) => patch(t, first, { n: "text" }));
    const strict = schemaOf({
      notes: { indexes: { by_n: ["n"] }, documentType: objectType({ n: "number", text: "string" }) },
    });
    await expect(apply(strict)).rejects.toThrow(
      `Document with ID "${first}" in table "notes" does not match the schema: Value does not match validator.`,
    );
    expect(() => byN()).toThrow("Index notes.by_n not found.");
    await test.mutate((t) => patch(t, first, { n: 0 }));
    await apply(strict);
    expect(byN()).toHaveLength(300);
  });

  it("of a push that another one overtakes is given up", async () => {
    await apply(PLAIN);
    await fill(900);
    const first = progressOf(LIVE).catch((error: Error) => error.message);
    await nextTurn();
    await progressOf(schemaOf({ notes: { indexes: { by_text: ["text"] } } }));
    expect(await first).toBe("Schema was overwritten by another push.");
    expect(() => byN()).toThrow("Index notes.by_n not found.");
  });

  it("that is dropped leaves nothing behind, and its name is free for another", async () => {
    await apply(LIVE);
    await fill(900);
    await apply(schemaOf({ notes: { indexes: { by_n: ["text"] }, searches: { by_text: ["title"] } } }));
    expect(byN()).toHaveLength(900);
    await test.mutate((t) => insert(t, "notes", { n: 1, title: "note" }));
    expect(() => byText("note")).toThrow("which doesn't match the indexed `searchField`");
  });
});

describe("a row", () => {
  it("that is written between the check and the switch is held against the new schema", async () => {
    const test = await openTestDatabase();
    const strict = schemaOf({ notes: { documentType: objectType({ n: "number" }) } });
    await test.mutate((t) => insert(t, "notes", { n: 1 }));
    await test.db.catalog.prepareSchema("", strict);
    const late = await test.mutate((t) => insert(t, "notes", { n: "two" }));
    await expect(test.db.catalog.applySchema("", strict)).rejects.toThrow(`Document with ID "${late}"`);
    await test.mutate((t) => remove(t, late));
    await test.db.catalog.prepareSchema("", strict);
    const unflushed = test.begin("mutation");
    const last = insert(unflushed, "notes", { n: "three" });
    const committed = test.db.commit(unflushed);
    await expect(test.db.catalog.applySchema("", strict)).rejects.toThrow(`Document with ID "${last}"`);
    await committed;
    await test.close();
  });
});
