import { expect } from "vitest";
import { rule } from "../backend";

const bytes = (...values: number[]) => new Uint8Array(values).buffer;

/** One value of each type, in the order of D.1. The two numbers of one size differ in type alone. */
const ORDERED = [
  null,
  -(2n ** 63n),
  0n,
  2n ** 63n - 1n,
  Number.NEGATIVE_INFINITY,
  -1,
  -0,
  0,
  1,
  Number.POSITIVE_INFINITY,
  Number.NaN,
  false,
  true,
  "",
  "a",
  "\u{ff61}",
  "\u{1f600}",
  bytes(),
  bytes(0),
  bytes(255),
  [],
  [1],
  [1, 2],
  {},
  { a: 1 },
  { a: 1, b: 2 },
  { b: 0 },
];

export const valueRules = [
  rule("every type of value goes in and comes out as it was", async (t) => {
    const value = { all: ORDERED, "key with spaces": "ok", nested: { a: { b: [{ c: 1n }] } } };
    expect(await t.query("calls:echo", { value })).toEqual(value);
    expect(await t.action("calls:echoAction", { value })).toEqual(value);
    const [id] = await t.mutation<string[]>("documents:insertItems", {
      items: [{ label: "all", more: value.all }],
    });
    expect(await t.query("documents:get", { id })).toMatchObject({ more: value.all });
  }),

  rule("an index orders values by type and then by size, strings by their bytes", async (t) => {
    const items = ORDERED.map((rank, n) => ({ label: String(n), rank }));
    const shuffled = items.map((_, n) => items[(n * 7) % items.length]);
    await t.mutation("documents:insertItems", { items: [...shuffled, { label: "missing" }] });
    const labels = ["missing", ...items.map(({ label }) => label)];
    expect(await t.query("ranges:range", { index: "by_rank" })).toEqual(labels);
    expect(await t.query("ranges:range", { index: "by_rank", order: "desc" })).toEqual(labels.toReversed());
  }),

  rule("an integer never equals a float of the same size", async (t) => {
    await t.mutation("documents:insertItems", {
      items: [
        { label: "float", rank: 1 },
        { label: "integer", rank: 1n },
      ],
    });
    const equal = (value: unknown) =>
      t.query("ranges:range", { index: "by_rank", eq: [{ field: "rank", value }] });
    expect(await equal(1)).toEqual(["float"]);
    expect(await equal(1n)).toEqual(["integer"]);
  }),

  rule("zero and minus zero are two values", async (t) => {
    await t.mutation("documents:insertItems", {
      items: [
        { label: "zero", rank: 0 },
        { label: "minus", rank: -0 },
      ],
    });
    expect(await t.query("ranges:range", { index: "by_rank", gt: { field: "rank", value: -0 } })).toEqual([
      "zero",
    ]);
  }),

  rule("what returns nothing returns null", async (t) => {
    expect(await t.mutation("calls:nothing")).toBeNull();
  }),

  rule("a top-level field of a document may not begin with an underscore", async (t) => {
    const text = await t.mutation<string>("documents:tryInsert", { table: "loose", value: { _hidden: 1 } });
    expect(text).not.toBe("nothing was thrown");
  }),

  rule("a value of more than 64 levels is refused", async (t) => {
    let deep: unknown = 0;
    for (let n = 0; n < 70; n++) deep = [deep];
    await expect(t.query("calls:echo", { value: deep })).rejects.toThrow();
  }),

  rule("a document of more than 16 levels is refused", async (t) => {
    let deep: unknown = 0;
    for (let n = 0; n < 20; n++) deep = [deep];
    const text = await t.mutation<string>("documents:tryInsert", { table: "loose", value: { deep } });
    expect(text).not.toBe("nothing was thrown");
  }),

  rule("an array of more than 8192 elements is refused", async (t) => {
    await expect(t.query("calls:echo", { value: Array.from({ length: 8193 }, () => 0) })).rejects.toThrow();
  }),

  rule("an object of more than 1024 fields is refused", async (t) => {
    const value = Object.fromEntries(Array.from({ length: 1025 }, (_, n) => [`f${n}`, 0]));
    await expect(t.query("calls:echo", { value })).rejects.toThrow();
  }),

  rule("a document of more than 1 MiB is refused", async (t) => {
    const value = { text: "x".repeat(1024 * 1024) };
    const text = await t.mutation<string>("documents:tryInsert", { table: "loose", value });
    expect(text).not.toBe("nothing was thrown");
  }),
];
