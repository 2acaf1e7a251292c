import { expect } from "vitest";
import { type Backend, rule } from "../backend";

type Page = {
  page: string[];
  isDone: boolean;
  continueCursor: string;
  splitCursor?: string | null;
  pageStatus?: string | null;
};

const fill = async (t: Backend, count: number) => {
  const items = Array.from({ length: count }, (_, n) => ({ label: String(n), rank: n }));
  await t.mutation("documents:insertItems", { items });
};

const abc = (t: Backend) =>
  t.mutation("documents:insertItems", {
    items: [
      { label: "a", rank: 1, group: "x", more: { depth: 1 } },
      { label: "b", rank: 2, group: "x" },
      { label: "c", rank: 3, group: "y" },
    ],
  });

const page = (t: Backend, paginationOpts: object, more: object = {}) =>
  t.query<Page>("ranges:page", { paginationOpts, ...more });

export const queryRules = [
  rule("a range of an index holds what its bounds say", async (t) => {
    await abc(t);
    const range = (args: object) => t.query("ranges:range", { index: "by_group_and_rank", ...args });
    const x = { field: "group", value: "x" };
    const rank = (value: number) => ({ field: "rank", value });
    expect(await range({ eq: [x] })).toEqual(["a", "b"]);
    expect(await range({ eq: [x, rank(2)] })).toEqual(["b"]);
    expect(await range({ eq: [x], gt: rank(1) })).toEqual(["b"]);
    expect(await range({ eq: [x], gte: rank(1), lt: rank(2) })).toEqual(["a"]);
    expect(await range({ eq: [x], lte: rank(2), order: "desc" })).toEqual(["b", "a"]);
    expect(await range({ gt: { field: "group", value: "x" } })).toEqual(["c"]);
  }),

  rule("a missing field is found as undefined, before everything else", async (t) => {
    await abc(t);
    await t.mutation("documents:insertItems", { items: [{ label: "none" }] });
    expect(await t.query("ranges:range", { index: "by_group_and_rank", eq: [{ field: "group" }] })).toEqual([
      "none",
    ]);
    expect(await t.query("ranges:range", { index: "by_depth", eq: [{ field: "more.depth" }] })).toEqual([
      "b",
      "c",
      "none",
    ]);
  }),

  rule("an index reaches into objects", async (t) => {
    await abc(t);
    const eq = [{ field: "more.depth", value: 1 }];
    expect(await t.query("ranges:range", { index: "by_depth", eq })).toEqual(["a"]);
  }),

  rule("equal keys of an index are ordered by creation", async (t) => {
    const items = ["c", "a", "b"].map((label) => ({ label, rank: 1 }));
    await t.mutation("documents:insertItems", { items });
    expect(await t.query("ranges:range", { index: "by_rank" })).toEqual(["c", "a", "b"]);
    expect(await t.query("ranges:range", { index: "by_creation_time" })).toEqual(["c", "a", "b"]);
    expect(await t.query("ranges:range", { index: "by_creation_time", order: "desc" })).toEqual([
      "b",
      "a",
      "c",
    ]);
  }),

  rule("an index that does not exist is refused", async (t) => {
    expect(await t.query("ranges:tryRange", { index: "by_nothing" })).not.toBe("nothing was thrown");
  }),

  rule("a range must follow the fields of its index", async (t) => {
    const tried = (args: object) => t.query("ranges:tryRange", { index: "by_group_and_rank", ...args });
    const rank = { field: "rank", value: 1 };
    const group = { field: "group", value: "x" };
    expect(await tried({ eq: [group, rank] })).toBe("nothing was thrown");
    expect(await tried({ eq: [rank] })).not.toBe("nothing was thrown");
    expect(await tried({ eq: [{ field: "label", value: "a" }] })).not.toBe("nothing was thrown");
    expect(await tried({ gt: group, lt: rank })).not.toBe("nothing was thrown");
  }),

  rule("every part of a filter does what it says", async (t) => {
    await abc(t);
    const found: Record<string, unknown> = {};
    for (const filter of [
      ...["eq", "neq", "lt", "lte", "gt", "gte", "add", "sub", "mul", "div", "mod"],
      ...["and", "or", "not", "missing", "nested"],
    ]) {
      found[filter] = (await t.query<string[]>("ranges:filtered", { filter })).join("");
    }
    expect(found).toEqual({
      eq: "b",
      neq: "ac",
      lt: "a",
      lte: "ab",
      gt: "c",
      gte: "bc",
      add: "b",
      sub: "b",
      mul: "b",
      div: "b",
      mod: "b",
      and: "b",
      or: "ac",
      not: "ac",
      missing: "",
      nested: "a",
    });
  }),

  rule("a filter negates a number", async (t) => {
    await abc(t);
    expect(await t.query("ranges:filtered", { filter: "neg" })).toEqual(["b"]);
  }),

  rule("results are fetched as a whole, in part, alone and one by one", async (t) => {
    await abc(t);
    expect(await t.query("ranges:fetchedBy")).toEqual({
      first: "a",
      last: "c",
      taken: ["a", "b"],
      only: "b",
      none: null,
      ambiguous: expect.stringContaining("unique()"),
      early: ["a", "b"],
    });
  }),

  rule("a table is counted", async (t) => {
    await fill(t, 7);
    expect(await t.query("ranges:count", { table: "items" })).toBe(7);
  }),

  rule("a query over a table that does not exist finds nothing", async (t) => {
    expect(await t.query("ranges:count", { table: "neverWritten" })).toBe(0);
  }),

  rule("pages follow each other without gap and end", async (t) => {
    await fill(t, 7);
    const seen: string[][] = [];
    let cursor: string | null = null;
    for (let isDone = false; !isDone; ) {
      const next: Page = await page(t, { numItems: 3, cursor });
      seen.push(next.page);
      ({ continueCursor: cursor, isDone } = next);
    }
    expect(seen).toEqual([["0", "1", "2"], ["3", "4", "5"], ["6"]]);
    expect(await page(t, { numItems: 3, cursor })).toMatchObject({ page: [], isDone: true });
  }),

  rule("pages of the descending order run backwards", async (t) => {
    await fill(t, 5);
    const first = await page(t, { numItems: 2, cursor: null }, { order: "desc" });
    expect(first.page).toEqual(["4", "3"]);
    const second = await page(t, { numItems: 9, cursor: first.continueCursor }, { order: "desc" });
    expect(second).toMatchObject({ page: ["2", "1", "0"], isDone: true });
  }),

  rule("a page up to a cursor holds what came between since", async (t) => {
    await fill(t, 4);
    const first = await page(t, { numItems: 2, cursor: null });
    await t.mutation("documents:insertItems", { items: [{ label: "new", rank: 0.5 }] });
    const again = await page(t, { numItems: 2, cursor: null, endCursor: first.continueCursor });
    expect(again.page).toEqual(["0", "new", "1"]);
    const second = await page(t, { numItems: 9, cursor: first.continueCursor });
    expect(second.page).toEqual(["2", "3"]);
  }),

  rule("a filter thins pages out, and does not move their ends", async (t) => {
    await fill(t, 6);
    const first = await page(t, { numItems: 2, cursor: null }, { filter: "mod" });
    expect(first.page).toEqual(["0", "2"]);
    const second = await page(t, { numItems: 2, cursor: first.continueCursor }, { filter: "mod" });
    expect(second.page).toEqual(["4"]);
  }),

  rule("a page ends early after the most rows that it may read", async (t) => {
    await fill(t, 10);
    const first = await page(t, { numItems: 9, cursor: null, maximumRowsRead: 4 });
    expect(first.page).toEqual(["0", "1", "2", "3"]);
    expect(first.isDone).toBe(false);
    const second = await page(t, { numItems: 9, cursor: first.continueCursor });
    expect(second.page).toEqual(["4", "5", "6", "7", "8", "9"]);
  }),

  rule("a cursor of another query is refused", async (t) => {
    await fill(t, 5);
    const { continueCursor } = await page(t, { numItems: 2, cursor: null });
    expect(
      await t.query("ranges:otherPage", { paginationOpts: { numItems: 2, cursor: continueCursor } }),
    ).not.toBe("nothing was thrown");
  }),

  rule("a cursor that was made up is refused", async (t) => {
    await fill(t, 5);
    await expect(page(t, { numItems: 2, cursor: "made up" })).rejects.toThrow();
  }),

  rule("one function asks for one page", async (t) => {
    expect(await t.query("ranges:twoPages", { paginationOpts: { numItems: 1, cursor: null } })).not.toBe(
      "nothing was thrown",
    );
  }),

  rule("a mutation may ask for a page, too", async (t) => {
    await fill(t, 3);
    const paginationOpts = { numItems: 2, cursor: null };
    const first = await t.mutation<Page>("ranges:pageThenInsert", { paginationOpts, label: "new", rank: 9 });
    expect(first.page).toEqual(["0", "1"]);
    expect((await page(t, { numItems: 9, cursor: first.continueCursor })).page).toEqual(["2", "new"]);
  }),
];
