import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { encodeId } from "../../engine/values/id";
import { type LiveEngine, startLiveEngine } from "../support/live-engine";
import { ImportClient } from "../support/transfer";

let engine: LiveEngine;
let client: ConvexHttpClient;
let imports: ImportClient;

beforeAll(async () => {
  engine = await startLiveEngine();
  await engine.deploy("transfer-app");
  client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
  imports = new ImportClient(engine);
});

afterAll(() => engine.discard());

type Row = { _id: string; _creationTime: number; [field: string]: unknown };

const insert = makeFunctionReference<"mutation", { table: string; documents: unknown[] }, string[]>(
  "data:insert",
);
const change = makeFunctionReference<"mutation", { id: string; fields: unknown }, null>("data:change");
const list = makeFunctionReference<"query", { table: string }, Row[]>("data:list");
const postsOf = makeFunctionReference<"query", { author: string }, string[]>("data:postsOf");

const rows = (table: string) => client.query(list, { table });
const names = async () => (await rows("authors")).map((row) => row["name"]);
const lines = (...documents: object[]) =>
  documents.map((document) => `${JSON.stringify(document)}\n`).join("");

/** An id of a table number that this engine did not give out: what another deployment would have. */
let lastByte = 0;
const foreignId = (tableNumber: number) => {
  lastByte += 1;
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(12, lastByte);
  return encodeId(tableNumber, bytes);
};

const clear = () =>
  imports.zip(
    [
      ["_tables/documents.jsonl", ""],
      ["values/documents.jsonl", ""],
    ],
    "replaceAll",
  );

beforeEach(async () => {
  expect(await clear()).toMatchObject({ state: "completed" });
});

describe("single tables", () => {
  test("JSON lines, a JSON array and CSV come as documents of the table", async () => {
    const jsonl = '{"name":"ann"}\r\n{"name":"bob","nick":"b"}';
    expect(await imports.run(jsonl, { format: "jsonLines", table: "authors" })).toMatchObject({
      state: "completed",
    });
    const json = '\uFEFF[{"name":"cy"}]';
    await imports.run(json, { format: "jsonArray", table: "authors", mode: "append" });
    const csv = 'name, nick\n"d, ""the"" e\nf",\ng,h\n\n';
    await imports.run(csv, { format: "csv", table: "authors", mode: "append" });
    const found = (await rows("authors")).map(({ name, nick }) =>
      nick === undefined ? [name] : [name, nick],
    );
    expect(found).toEqual([["ann"], ["bob", "b"], ["cy"], ['d, "the" e\nf'], ["g", "h"]]);
  });

  test("CSV cells are floats where they look like one", async () => {
    await imports.run("value\n1\n-2.5e3\n0x10\nNaN\n1 2\n", { format: "csv", table: "values" });
    expect((await rows("values")).map((row) => row["value"])).toEqual([1, -2500, "0x10", "NaN", "1 2"]);
  });

  test("a table that the schema does not know comes into being", async () => {
    const state = await imports.run('{"a":1}', { format: "jsonLines", table: "brandNew" });
    expect(state).toMatchObject({ state: "completed" });
    expect((await rows("brandNew")).map((row) => row["a"])).toEqual([1]);
    const [id] = await client.mutation(insert, { table: "brandNew", documents: [{ a: 2 }] });
    expect((await rows("brandNew")).map((row) => row._id)).toContain(id);
  });

  test.each([
    ["a row that is no JSON", "jsonLines", '{"name":"a"}\n{"name":', /Row 2 wasn't valid JSON/],
    ["a row that is no object", "jsonLines", '{"name":"a"}\n[]', /Row 2 wasn't an object/],
    ["bytes that are no UTF-8", "jsonLines", new Uint8Array([0x7b, 0xff]), /wasn't valid UTF8/],
    ["an object for an array", "jsonArray", "{}", /Not a JSON array/],
    ["a CSV row that is too short", "csv", "name,nick\na,b\nc\n", /CSV row 2 doesn't have all of the fields/],
    ["a CSV file without anything", "csv", "", /doesn't have headers/],
    ["an open quote", "csv", 'name\n"a', /ends inside a quoted cell/],
    ["a name that is no field", "csv", "name,na me\na,b\n", /Row 1 of table "authors": Field name na me/],
    [
      "a row that the schema refuses",
      "jsonLines",
      '{"name":"a"}\n{"name":1}',
      /Row 2 of table "authors".*schema/s,
    ],
    ["a wrong _creationTime", "jsonLines", '{"name":"a","_creationTime":"now"}', /Row 1 .*_creationTime/],
    ["an _id of nothing", "jsonLines", '{"name":"a","_id":"me"}', /Row 1 .*The _id "me" cannot be imported/],
  ] as const)("%s is refused, and nothing is applied", async (_, format, content, message) => {
    await client.mutation(insert, { table: "authors", documents: [{ name: "before" }] });
    const state = await imports.run(content, { format, table: "authors", mode: "replace" });
    expect(state).toMatchObject({ state: "failed", error_message: expect.stringMatching(message) });
    expect(state.error_message).toContain("Hit an error while importing:\n");
    expect(await names()).toEqual(["before"]);
  });
});

describe("modes", () => {
  beforeEach(() => client.mutation(insert, { table: "authors", documents: [{ name: "before" }] }));

  test("by default a table that has rows is refused before anybody is asked", async () => {
    const id = await imports.upload(Buffer.from('{"name":"x"}'), { format: "jsonLines", table: "authors" });
    const state = await imports.waitFor(id, "waiting_for_confirmation", "failed");
    expect(state.error_message).toMatch(
      /Table authors already exists\. Please choose a new table name or use replace/,
    );
  });

  test("append adds to what is there; an _id that is taken is refused", async () => {
    const [before] = await rows("authors");
    expect(
      await imports.run('{"name":"x"}', { format: "jsonLines", table: "authors", mode: "append" }),
    ).toMatchObject({
      state: "completed",
    });
    expect(await names()).toEqual(["before", "x"]);
    const again = lines({ name: "new" }, { name: "again", _id: before?._id });
    const state = await imports.run(again, { format: "jsonLines", table: "authors", mode: "append" });
    expect(state.error_message).toContain(
      `Row 2 of table "authors": Table "authors" already has a document with the _id`,
    );
    expect(await names()).toEqual(["before", "x"]);
  });

  test("replace leaves other tables alone, replaceAll empties those of the schema and removes the rest", async () => {
    await client.mutation(insert, { table: "values", documents: [{ value: 1 }] });
    await client.mutation(insert, { table: "extra", documents: [{}] });
    const content = '{"name":"x"}';
    await imports.run(content, { format: "jsonLines", table: "authors", mode: "replace" });
    expect([await names(), (await rows("values")).length, (await rows("extra")).length]).toEqual([
      ["x"],
      1,
      1,
    ]);
    const id = await imports.upload(Buffer.from(content), {
      format: "jsonLines",
      table: "authors",
      mode: "replaceAll",
    });
    const asked = await imports.waitFor(id, "waiting_for_confirmation");
    expect(asked).toMatchObject({
      require_manual_confirmation: true,
      message_to_confirm: expect.stringMatching(/authors +\| 1 +\| 1 of 1 +\|\n.*extra +\| 0 +\| 1 of 1/s),
    });
    await imports.confirm(id);
    await imports.waitFor(id, "completed");
    expect([await names(), (await rows("values")).length, (await rows("extra")).length]).toEqual([
      ["x"],
      0,
      0,
    ]);
  });

  test("an import that nobody confirmed changes nothing, and cannot be confirmed twice", async () => {
    const id = await imports.upload(Buffer.from('{"name":"x"}'), {
      format: "jsonLines",
      table: "authors",
      mode: "replace",
    });
    await imports.waitFor(id, "waiting_for_confirmation");
    expect(await names()).toEqual(["before"]);
    await imports.confirm(id);
    await expect(imports.confirm(id)).rejects.toThrow(/no import with this id that waits/);
    await imports.waitFor(id, "completed");
  });

  test("what is written while many rows are appended is neither lost nor doubled", async () => {
    const many = lines(...Array.from({ length: 2_000 }, (_, n) => ({ name: `new ${n}` })));
    const old = await client.mutation(insert, {
      table: "authors",
      documents: Array.from({ length: 1_500 }, (_, n) => ({ name: `old ${n}` })),
    });
    const id = await imports.upload(Buffer.from(many), {
      format: "jsonLines",
      table: "authors",
      mode: "append",
    });
    await imports.waitFor(id, "waiting_for_confirmation");
    await imports.confirm(id);
    let added = 0;
    while ((await imports.state(id)).state === "in_progress" && added < old.length / 2) {
      await client.mutation(change, { id: old[added] ?? "", fields: { nick: "changed" } });
      await client.mutation(change, { id: old[old.length - 1 - added] ?? "", fields: null });
      await client.mutation(insert, { table: "authors", documents: [{ name: `meanwhile ${added}` }] });
      added += 1;
    }
    expect(await imports.waitFor(id, "completed", "failed")).toMatchObject({ state: "completed" });
    const found = await rows("authors");
    const count = (what: RegExp) => found.filter((row) => what.test(String(row["name"]))).length;
    expect([added > 0, count(/^new/), count(/^meanwhile/), count(/^old/)]).toEqual([
      true,
      2_000,
      added,
      1_500 - added,
    ]);
    expect(found.filter((row) => row["nick"] === "changed").length).toBe(added);
    expect(new Set(found.map((row) => row._id)).size).toBe(found.length);
  });
});

describe("snapshots of other deployments", () => {
  const NUMBERS = { authors: 10_777, posts: 10_778 };

  function snapshot(authors = [{ _id: foreignId(NUMBERS.authors), name: "ann" }]) {
    const post = {
      _id: foreignId(NUMBERS.posts),
      _creationTime: 1_650_000_000_000.25,
      author: authors[0]?._id,
      title: "first",
    };
    return {
      author: authors[0]?._id ?? "",
      post,
      entries: [
        ["_tables/documents.jsonl", lines(...Object.entries(NUMBERS).map(([name, id]) => ({ name, id })))],
        ["authors/documents.jsonl", lines(...authors)],
        ["authors/generated_schema.jsonl", '"uniform"\n'],
        ["posts/documents.jsonl", lines(post)],
        ["_scheduled_functions/documents.jsonl", '{"not":"ours"}\n'],
      ] as [string, string][],
    };
  }

  test("table numbers follow the import, so that ids and references stay as they were", async () => {
    const { author, post, entries } = snapshot();
    expect(await imports.zip(entries)).toMatchObject({ state: "completed" });
    expect(await rows("posts")).toEqual([post]);
    expect(await client.query(postsOf, { author })).toEqual(["first"]);
    const [id = ""] = await client.mutation(insert, {
      table: "posts",
      documents: [{ author, title: "second" }],
    });
    expect(id.slice(0, 2)).toBe(post._id.slice(0, 2));
    // Tables that come later keep clear of the numbers that came.
    const [other = ""] = await client.mutation(insert, { table: `later${lastByte}`, documents: [{}] });
    expect([post._id.slice(0, 2), author.slice(0, 2)]).not.toContain(other.slice(0, 2));
  });

  test("a folder around everything is passed over", async () => {
    const { post, entries } = snapshot();
    await imports.zip(entries.map(([name, content]) => [`snapshot_1/${name}`, content]));
    expect(await rows("posts")).toEqual([post]);
  });

  test("a number that belongs to another table is refused", async () => {
    await imports.zip(snapshot().entries);
    const state = await imports.zip([["fresh/documents.jsonl", lines({ _id: foreignId(NUMBERS.authors) })]]);
    expect(state.error_message).toContain(
      "New table `fresh` has IDs that conflict with existing table `authors`. To delete all existing tables, import with `npx convex import --replace-all`.",
    );
    const system = await imports.zip([["fresh/documents.jsonl", lines({ _id: foreignId(7) })]]);
    expect(system.error_message).toContain("conflict with existing internal table");
  });

  test("a table that rows outside the import refer to keeps its number", async () => {
    const { author } = snapshot();
    await imports.zip(snapshot().entries);
    const renumbered = lines({ _id: foreignId(NUMBERS.authors + 100), name: "other" });
    const state = await imports.run(renumbered, { format: "jsonLines", table: "authors", mode: "replace" });
    expect(state.error_message).toContain(
      "Import changes table 'authors' which is referenced by 'posts' in the schema",
    );
    expect([await names(), author]).toEqual([["ann"], author]);
  });

  test("a row of one table that breaks the schema leaves every table as it was", async () => {
    await client.mutation(insert, { table: "authors", documents: [{ name: "before" }] });
    const { entries, post } = snapshot();
    const broken = lines(post, { author: "nobody", title: "broken" });
    const state = await imports.zip(
      entries.map(([name, text]) => [name, name.startsWith("posts/") ? broken : text]),
      "replace",
    );
    expect(state.error_message).toMatch(/Row 2 of table "posts": .*does not match the schema/s);
    expect([await names(), await rows("posts")]).toEqual([["before"], []]);
  });

  test("two documents with one _id are refused", async () => {
    const twice = { _id: foreignId(NUMBERS.authors), name: "ann" };
    const state = await imports.zip([["authors/documents.jsonl", lines(twice, twice)]]);
    expect(state.error_message).toContain(
      `Row 2 of table "authors": Two documents of table "authors" have the _id`,
    );
  });

  test("an export of the old kind is refused", async () => {
    const state = await imports.zip([
      ["authors/documents.jsonl", ""],
      ["authors/generated_schema.jsonl", '"field(name)"\n'],
    ]);
    expect(state.error_message).toContain("exported in an old format");
  });
});
