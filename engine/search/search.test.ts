import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  call,
  collect,
  indexRange,
  insert,
  openTestDatabase,
  paginate,
  patch,
  remove,
  schemaOf,
  search,
  type TestDatabase,
} from "../transaction/test-database";
import type { JsonObject, JsonValue, Transaction } from "../types";

const SCHEMA = schemaOf({
  messages: { searches: { by_body: ["body", "chat", "meta.kind"] }, indexes: { by_chat: ["chat"] } },
});

const find = (text: string, equals: { [field: string]: JsonValue } = {}) =>
  search("messages.by_body", "body", text, equals);
const bodies = (rows: JsonObject[]) => rows.map((row) => row["body"]);
const found = (transaction: Transaction, text: string, equals: { [field: string]: JsonValue } = {}) =>
  bodies(collect(transaction, find(text, equals)));

describe("a search", () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await openTestDatabase();
    await test.db.catalog.applySchema("", SCHEMA);
  });
  afterEach(() => test.close());

  const add = (...texts: string[]) =>
    test.mutate((t) => texts.map((body) => insert(t, "messages", { body, chat: "a" })));
  const now = (text: string, equals: { [field: string]: JsonValue } = {}) =>
    found(test.begin("query"), text, equals);

  it("finds documents with any of its words, the last one only begun", async () => {
    await add("a red apple", "green apples", "a banana", "nothing");
    expect(now("banana app").sort()).toEqual(["a banana", "a red apple", "green apples"]);
    expect(now("appl banana")).toEqual(["a banana"]);
    expect(now("pple")).toEqual([]);
    expect(now("!")).toEqual([]);
  });

  it("gives more words first, then shorter texts, then newer ones", async () => {
    await add("a", "a a", "a b c d", "a b", "a c");
    expect(now("b a")[0]).toBe("a b");
    const ties = await add("tie one", "tie two", "tie three");
    expect(ties).toHaveLength(3);
    expect(now("tie")).toEqual(["tie three", "tie two", "tie one"]);
  });

  it("knows at most sixteen words that begin as was asked, the first in their order", async () => {
    await add(...Array.from({ length: 20 }, (_, i) => `word${String(i).padStart(2, "0")}`));
    expect(now("word").sort()).toEqual(
      Array.from({ length: 16 }, (_, i) => `word${String(i).padStart(2, "0")}`),
    );
  });

  it("keeps to the values of its filter fields, missing ones too", async () => {
    await test.mutate((t) => {
      insert(t, "messages", { body: "hello one", chat: "a", meta: { kind: "x" } });
      insert(t, "messages", { body: "hello two", chat: "b", meta: { kind: "x" } });
      insert(t, "messages", { body: "hello three", chat: "a", meta: 5 });
      insert(t, "messages", { body: "hello four", chat: "c".repeat(500) });
    });
    expect(now("hello", { chat: "a" })).toEqual(["hello three", "hello one"]);
    expect(now("hello", { chat: "a", "meta.kind": "x" })).toEqual(["hello one"]);
    expect(now("hello", { "meta.kind": { $undefined: null } })).toEqual(["hello four", "hello three"]);
    expect(now("hello", { chat: "c".repeat(500) })).toEqual(["hello four"]);
    expect(now("hello", { chat: "c".repeat(499) })).toEqual([]);
    expect(now("hello", { chat: null })).toEqual([]);
  });

  it("follows what happens to documents", async () => {
    const [one = "", two = ""] = await add("first text", "second text");
    await test.mutate((t) => {
      patch(t, one, { body: "first words" });
      remove(t, two);
    });
    expect([now("text"), now("words"), now("first")]).toEqual([[], ["first words"], ["first words"]]);
    await test.mutate((t) => patch(t, one, { chat: "b" }));
    expect([now("first", { chat: "a" }), now("first", { chat: "b" })]).toEqual([[], ["first words"]]);
    await test.mutate((t) => patch(t, one, { body: 5 }));
    expect(now("first")).toEqual([]);
    test = await test.reopen();
    await test.mutate((t) => patch(t, one, { body: "first again" }));
    expect(now("first")).toEqual(["first again"]);
  });

  it("sees the writes of its own transaction, and not those that were undone", async () => {
    const [one = "", two = ""] = await add("sun today", "sun tomorrow");
    await test.mutate((t) => {
      insert(t, "messages", { body: "sun always", chat: "a" });
      patch(t, one, { body: "rain today" });
      remove(t, two);
      expect(found(t, "sun")).toEqual(["sun always"]);
      const savepoint = t.savepoint();
      insert(t, "messages", { body: "sun never", chat: "a" });
      expect(found(t, "sun")).toEqual(["sun never", "sun always"]);
      t.rollbackTo(savepoint);
      expect(found(t, "sun")).toEqual(["sun always"]);
      expect(found(t, "ra")).toEqual(["rain today"]);
    });
    expect(now("sun")).toEqual(["sun always"]);
  });

  it("at an older snapshot finds what was there then", async () => {
    const [one = "", two = ""] = await add("old news", "old story");
    const before = test.begin("query");
    await test.mutate((t) => {
      patch(t, one, { body: "new news" });
      remove(t, two);
      insert(t, "messages", { body: "old hat", chat: "a" });
    });
    expect(found(before, "old").sort()).toEqual(["old news", "old story"]);
    expect(found(before, "new")).toEqual(["old news"]);
    expect(now("old")).toEqual(["old hat"]);
    expect(now("new").sort()).toEqual(["new news"]);
  });

  it("conflicts with a commit that changes what it could find, and with no other", async () => {
    const [one = ""] = await add("cats purr", "dogs bark");
    const outcomeOf = async (write: (t: Transaction) => void, text: string, equals = {}) => {
      const searcher = test.begin("mutation");
      found(searcher, text, equals);
      insert(searcher, "other", {});
      await test.mutate(write);
      return test.db.commit(searcher).then(
        () => "committed",
        (error: { kind: string }) => error.kind,
      );
    };
    const addBody =
      (body: string, chat = "a") =>
      (t: Transaction) =>
        void insert(t, "messages", { body, chat });
    await test.mutate((t) => insert(t, "other", {}));
    expect(await outcomeOf(addBody("cat food"), "dogs ca")).toBe("conflict");
    expect(await outcomeOf(addBody("dogs"), "dogs ca")).toBe("conflict");
    expect(await outcomeOf(addBody("dog"), "dogs ca")).toBe("committed");
    expect(await outcomeOf(addBody("cats", "b"), "cats", { chat: "a" })).toBe("committed");
    expect(await outcomeOf((t) => void patch(t, one, { body: "mice" }), "cats")).toBe("conflict");
    expect(await outcomeOf((t) => void patch(t, one, { seen: true }), "mice")).toBe("conflict");
    expect(await outcomeOf((t) => void remove(t, one), "birds")).toBe("committed");
  });

  it("wakes its subscribers for a matching document, old or new, and nobody else", async () => {
    const [one = ""] = await add("tea time");
    const woken: string[] = [];
    const watch = (text: string, equals: { [field: string]: JsonValue } = {}) => {
      const query = test.begin("query");
      found(query, text, equals);
      const name = `${text} ${Object.values(equals).join()}`.trim();
      return test.db.watch(query.reads, query.beginTs, () => woken.push(name));
    };
    watch("tea");
    watch("te", { chat: "a" });
    watch("te", { chat: "b" });
    watch("coffee");
    watch("tea coff");
    watch("?");
    watch("tea").close();
    await test.mutate((t) => insert(t, "messages", { body: "coffee break", chat: "c" }));
    expect(woken.splice(0).sort()).toEqual(["coffee", "tea coff"]);
    await test.mutate((t) => patch(t, one, { body: "water" }));
    expect(woken.splice(0).sort()).toEqual(["te a", "tea"]);
    await test.mutate((t) => patch(t, one, { body: "team", chat: "b" }));
    expect(woken).toEqual(["te b"]);
  });

  it("comes in pages without gap or overlap, and filters after the search", async () => {
    await add(...Array.from({ length: 25 }, (_, i) => `page ${"x ".repeat(i % 5)}${i}`));
    const seen: unknown[] = [];
    let cursor: string | null = null;
    for (let n = 0; n < 3; n += 1) {
      const page = paginate(test.begin("query"), find("page"), { cursor, pageSize: 10 });
      seen.push(...bodies(page.rows));
      expect([page.isDone, page.split]).toEqual([n === 2, null]);
      cursor = page.cursor;
    }
    expect(seen).toEqual(now("page"));
    expect(seen).toHaveLength(25);
    const even: JsonObject = { filter: { $gte: [{ $field: "body" }, { $literal: "page x x x" }] } };
    const filtered = bodies(collect(test.begin("query"), find("page"), [even]));
    expect(filtered).toEqual(seen.filter((body) => String(body) >= "page x x x"));
    const rest = paginate(test.begin("query"), find("page"), { pageSize: 20 }, [even]);
    expect(bodies(rest.rows)).toEqual(filtered);
    expect(bodies(collect(test.begin("query"), find("page"), [even, { limit: 2 }]))).toEqual(
      filtered.slice(0, 2),
    );
  });

  it("gives the same page again for its journal, whatever came in between", async () => {
    await add(...Array.from({ length: 6 }, (_, i) => `again ${i}`));
    const query = test.begin("query");
    const first = paginate(query, find("again"), { pageSize: 10 });
    expect([first.isDone, first.rows.length]).toEqual([true, 6]);
    await add(...Array.from({ length: 20 }, (_, i) => `again more ${i}`));
    const again = test.begin("query", { journal: query.nextJournal });
    expect(paginate(again, find("again"), { pageSize: 10 }).rows).toHaveLength(26);
  });

  it("gives 1,024 documents at most", async () => {
    await test.mutate((t) => {
      for (let i = 0; i < 1030; i += 1) {
        insert(t, "messages", { body: `many ${i}`, chat: "a" });
      }
    });
    expect(() => now("many")).toThrow(
      "Search query scanned too many documents (fetched 1024). Consider using a smaller limit, paginating the query, or using a filter field to limit the number of documents pulled from the search index.",
    );
    const most = bodies(collect(test.begin("query"), find("many"), [{ limit: 1024 }]));
    expect([most.length, most[0]]).toEqual([1024, "many 1029"]);
    expect(bodies(collect(test.begin("query"), find("many"), [{ limit: 3 }]))).toEqual([
      "many 1029",
      "many 1028",
      "many 1027",
    ]);
  });

  const eq = (fieldPath: string) => ({ type: "Eq", fieldPath, value: 1 });
  const text = (fieldPath = "body") => ({ type: "Search", fieldPath, value: "x" });
  it.each<[string, string, JsonObject[], string]>([
    ["an unknown index", "messages.by_nothing", [text()], "Index messages.by_nothing not found."],
    ["an unknown table", "nothing.by_body", [text()], "Index nothing.by_body not found."],
    ["another kind of index", "messages.by_chat", [text()], "Index messages.by_chat is not a search index"],
    [
      "no search filter",
      "messages.by_body",
      [eq("chat")],
      "Search query against messages.by_body does not contain any search filters.",
    ],
    [
      "two search filters",
      "messages.by_body",
      [text(), text()],
      'Search query against messages.by_body contains multiple search filters against "body". Only one is allowed.',
    ],
    [
      "another search field",
      "messages.by_body",
      [text("title")],
      'contains a search filter against "title", which doesn\'t match the indexed `searchField` "body".',
    ],
    [
      "an equality on a field that is not declared",
      "messages.by_body",
      [text(), eq("body")],
      'contains an equality filter on "body" but that field isn\'t indexed for filtering in `filterFields`.',
    ],
    [
      "nine equalities",
      "messages.by_body",
      [text(), ...Array.from({ length: 9 }, () => eq("chat"))],
      "has too many filter conditions. Max: 8 Actual: 9",
    ],
  ])("with %s is refused", (_name, indexName, filters, message) => {
    const source = { type: "Search", indexName, filters };
    expect(() => call(test.begin("query"), "1.0/queryStream", { query: { source, operators: [] } })).toThrow(
      message,
    );
  });

  it("is no range", () => {
    expect(() => collect(test.begin("query"), indexRange("messages.by_body"))).toThrow(
      "Index messages.by_body is not a database index",
    );
  });
});
