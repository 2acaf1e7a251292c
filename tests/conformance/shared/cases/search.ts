import { expect } from "vitest";
import { type Backend, rule } from "../backend";

const fill = async (t: Backend) => {
  for (const [text, topic] of [
    ["Bread and butter", "food"],
    ["Breadth first", "graphs"],
    ["Butter on bread", "food"],
    ["Nothing of it", "graphs"],
  ]) {
    await t.mutation("search:add", { text, topic });
  }
};
const find = (t: Backend, words: string, topic?: string) =>
  t.query("search:find", { words, ...(topic !== undefined && { topic }) });

export const searchRules = [
  rule("a search finds documents by a word, whatever its case", async (t) => {
    await fill(t);
    expect(await find(t, "BUTTER")).toEqual(["Bread and butter", "Butter on bread"]);
    expect(await find(t, "cheese")).toEqual([]);
  }),

  rule("a search takes its last word for the beginning of one", async (t) => {
    await fill(t);
    expect(await find(t, "brea")).toEqual(["Bread and butter", "Breadth first", "Butter on bread"]);
  }),

  rule("a search finds documents with any of its words", async (t) => {
    await fill(t);
    expect(await find(t, "butter first")).toEqual(["Bread and butter", "Breadth first", "Butter on bread"]);
  }),

  rule("a search keeps to the value of its filter field", async (t) => {
    await fill(t);
    expect(await find(t, "bread", "graphs")).toEqual(["Breadth first"]);
  }),

  rule("a search sees the writes of its own mutation", async (t) => {
    expect(await t.mutation("search:add", { text: "fresh", topic: "news" })).toBe("fresh");
  }),
];
