import { ConvexError } from "convex/values";
import { expect } from "vitest";
import { type Backend, rule } from "../backend";

const labels = (t: Backend) => t.query<string[]>("jobs:labels");

const dataOf = async (run: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await run.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConvexError);
  return error instanceof ConvexError ? error.data : null;
};

export const callRules = [
  rule("what a nested mutation writes is seen, and what a failed one wrote is undone alone", async (t) => {
    expect(await t.mutation("calls:nested")).toEqual({
      data: { label: "undone" },
      seen: ["outer", "inner"],
    });
    expect(await labels(t)).toEqual(["outer", "inner"]);
  }),

  rule("data of a failed nested call keep their type", async (t) => {
    expect(await t.mutation("calls:nestedData", { data: { big: 5n } })).toEqual({ big: 5n });
  }),

  rule("nested calls that start at once run one after the other", async (t) => {
    expect(await t.mutation("calls:parallel")).toEqual(["first", "second", "third"]);
  }),

  rule("a query calls other queries", async (t) => {
    expect(await t.query("calls:nestedInQuery")).toEqual([]);
  }),

  rule("a query of the stale snapshot does not see the writes of its mutation", async (t) => {
    expect(await t.mutation("calls:stale")).toEqual({ snapshot: [], now: ["own"] });
  }),

  rule("a call as the wrong kind, to nowhere or with wrong arguments is refused", async (t) => {
    for (const text of await t.mutation<string[]>("calls:wrongCalls")) {
      expect(text).not.toBe("nothing was thrown");
    }
    expect(await labels(t)).toEqual([]);
  }),

  rule("an action calls queries, mutations and actions, each a transaction of its own", async (t) => {
    expect(await t.action("calls:fromAction")).toEqual({
      data: { label: "undone" },
      seen: ["by an action"],
      answer: 5n,
      failed: ["from", "an action"],
    });
    expect(await labels(t)).toEqual(["by an action"]);
  }),

  rule("a mutation that throws keeps nothing, and its data reaches the caller", async (t) => {
    const data = { code: "no", list: [1, null], at: 5n };
    expect(await dataOf(t.mutation("calls:fail", { data }))).toEqual(data);
    await expect(t.mutation("calls:fail")).rejects.toThrow();
    expect(await labels(t)).toEqual([]);
  }),

  rule("data of errors of queries and actions reach the caller, too", async (t) => {
    expect(await dataOf(t.query("calls:failingQuery"))).toBe("from a query");
    expect(await dataOf(t.action("calls:failingAction"))).toEqual(["from", "an action"]);
  }),

  rule("a handle calls its function, also later and from an action", async (t) => {
    const made = await t.mutation<{ write: string; missing: string }>("calls:handles");
    expect(made).toMatchObject({ seen: ["through a handle"], isHandle: true, isStable: true });
    expect(await t.action("calls:handleFromAction", { handle: made.write })).toBe("through a handle");
    expect(await labels(t)).toEqual(["through a handle", "later"]);
  }),

  rule("a handle of a function that does not exist is refused", async (t) => {
    const { missing } = await t.mutation<{ missing: string }>("calls:handles");
    expect(missing).not.toBe("nothing was thrown");
  }),

  rule("functions call each other eight levels deep", async (t) => {
    expect(await t.query("calls:deep", { levels: 7 })).toBe(7);
  }),

  rule("functions do not call each other more than eight levels deep", async (t) => {
    await expect(t.query("calls:deep", { levels: 9 })).rejects.toThrow();
  }),

  rule("arguments are checked against their validators", async (t) => {
    const typed = (args: object) => t.query("calls:typed", { text: "a", kind: "a", ...args });
    const [item] = await t.mutation<string[]>("documents:insertItems", { items: [{ label: "a" }] });
    expect(await typed({ item, list: [1, 2], map: { "any key": true }, maybe: null })).toEqual([
      "item",
      "kind",
      "list",
      "map",
      "maybe",
      "text",
    ]);
    expect(await typed({ maybe: 5n })).toEqual(["kind", "maybe", "text"]);
    for (const wrong of [
      { text: 1 },
      { kind: "c" },
      { item: "no id" },
      { list: ["x"] },
      { maybe: 5 },
      { unknown: 1 },
    ]) {
      await expect(typed(wrong), JSON.stringify(wrong)).rejects.toThrow();
    }
    await expect(t.query("calls:typed", { kind: "a" })).rejects.toThrow();
  }),

  rule("the values of a record are checked against its validator", async (t) => {
    await expect(t.query("calls:typed", { text: "a", kind: "a", map: { a: 1 } })).rejects.toThrow();
  }),

  rule("what a function returns is checked against its validator", async (t) => {
    await expect(t.query("calls:wrongReturn")).rejects.toThrow();
  }),

  rule("a mutation that returns what it may not keeps nothing", async (t) => {
    await expect(t.mutation("calls:wrongReturnMutation")).rejects.toThrow();
    expect(await labels(t)).toEqual([]);
  }),
];
