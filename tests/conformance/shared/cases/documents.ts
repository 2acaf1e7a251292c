import { expect } from "vitest";
import { type Backend, rule } from "../backend";

const insert = async (t: Backend, value: object, table = "items"): Promise<string> =>
  t.mutation<string>("documents:insert", { table, value });

export const documentRules = [
  rule("a document is read by its id, with its system fields, and null where it is gone", async (t) => {
    const id = await insert(t, { label: "a", rank: 1 });
    const found = await t.query<{ _creationTime: number }>("documents:get", { id });
    expect(found).toEqual({ _id: id, _creationTime: expect.any(Number), label: "a", rank: 1 });
    expect(found._creationTime).toBeGreaterThan(0);
    await t.mutation("documents:remove", { id });
    expect(await t.query("documents:get", { id })).toBeNull();
  }),

  rule("a read that names another table than that of the id is refused", async (t) => {
    const id = await insert(t, { label: "a" });
    expect(await t.query("documents:getIn", { table: "items", id })).toBe("nothing was thrown");
    expect(await t.query("documents:getIn", { table: "links", id })).not.toBe("nothing was thrown");
  }),

  rule("what is no id is refused", async (t) => {
    expect(await t.query("documents:tryGet", { id: "no id at all", system: false })).not.toBe(
      "nothing was thrown",
    );
  }),

  rule("system tables are read through db.system alone, and other tables not through it", async (t) => {
    const item = await insert(t, { label: "a" });
    const job = await t.mutation<string>("jobs:schedule", {
      name: "note",
      delayMs: 3_600_000,
      args: { label: "x" },
    });
    const tried = (id: string, system: boolean) => t.query("documents:tryGet", { id, system });
    expect(await tried(item, false)).toBe("nothing was thrown");
    expect(await tried(job, true)).toBe("nothing was thrown");
    expect(await tried(item, true)).not.toBe("nothing was thrown");
    expect(await tried(job, false)).not.toBe("nothing was thrown");
  }),

  rule("an id is normalized for its own table alone", async (t) => {
    const id = await insert(t, { label: "a" });
    expect(await t.query("documents:normalize", { table: "items", id })).toBe(id);
    expect(await t.query("documents:normalize", { table: "links", id })).toBeNull();
    expect(await t.query("documents:normalize", { table: "items", id: "nonsense" })).toBeNull();
  }),

  rule("a patch merges at the top level, and takes away what is undefined", async (t) => {
    const id = await insert(t, { label: "a", group: "g", more: { kept: 1 } });
    await t.mutation("documents:patch", { id, value: { more: { other: 2 } }, remove: ["group"] });
    expect(await t.query("documents:get", { id })).toEqual({
      _id: id,
      _creationTime: expect.any(Number),
      label: "a",
      more: { other: 2 },
    });
  }),

  rule("a replacement keeps the system fields and nothing else", async (t) => {
    const id = await insert(t, { label: "a", group: "g", rank: 1 });
    const before = await t.query<{ _creationTime: number }>("documents:get", { id });
    await t.mutation("documents:replace", { id, value: { label: "b" } });
    expect(await t.query("documents:get", { id })).toEqual({
      _id: id,
      _creationTime: before._creationTime,
      label: "b",
    });
  }),

  rule("a document that is gone cannot be written", async (t) => {
    const id = await insert(t, { label: "a" });
    await t.mutation("documents:remove", { id });
    for (const text of await t.mutation<string[]>("documents:writeMissing", { id })) {
      expect(text).not.toBe("nothing was thrown");
    }
  }),

  rule("a mutation sees its own writes, in the order of its index", async (t) => {
    expect(await t.mutation("documents:ownWrites")).toEqual({
      inserted: ["a", "b"],
      moved: ["b", "a"],
      removed: ["a"],
      gone: null,
    });
  }),

  rule("creation times rise with every insert", async (t) => {
    const times = await t.mutation<number[]>("documents:creationTimes", { count: 20 });
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
  }),

  rule("a declared table refuses what its schema does not know", async (t) => {
    const tried = (table: string, value: object) =>
      t.mutation<string>("documents:tryInsert", { table, value });
    expect(await tried("items", { label: "a" })).toBe("nothing was thrown");
    for (const value of [{}, { label: 1 }, { label: "a", extra: 1 }, { label: "a", group: 1 }]) {
      expect(await tried("items", value)).not.toBe("nothing was thrown");
    }
  }),

  rule("a union takes the shape of each of its members, and no mixture", async (t) => {
    const tried = (value: object) => t.mutation<string>("documents:tryInsert", { table: "shapes", value });
    expect(await tried({ kind: "circle", radius: 1 })).toBe("nothing was thrown");
    expect(await tried({ kind: "square", side: 1 })).toBe("nothing was thrown");
    expect(await tried({ kind: "circle", side: 1 })).not.toBe("nothing was thrown");
  }),

  rule("an id of another table is refused where a schema names one", async (t) => {
    const item = await insert(t, { label: "a" });
    const link = await insert(t, { item }, "links");
    const tried = (id: string) =>
      t.mutation<string>("documents:tryInsert", { table: "links", value: { item: id } });
    expect(await tried(item)).toBe("nothing was thrown");
    expect(await tried(link)).not.toBe("nothing was thrown");
  }),

  rule("an id stays valid when its document is gone", async (t) => {
    const item = await insert(t, { label: "a" });
    await t.mutation("documents:remove", { id: item });
    expect(await t.mutation("documents:tryInsert", { table: "links", value: { item } })).toBe(
      "nothing was thrown",
    );
  }),

  rule("a table that the schema does not declare takes anything", async (t) => {
    const id = await insert(t, { any: [1n, "x"] }, "loose");
    expect(await t.query("documents:get", { id })).toMatchObject({ any: [1n, "x"] });
  }),
];
