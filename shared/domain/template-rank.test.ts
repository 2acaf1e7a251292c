import { expect, it } from "vitest";
import { rankTemplates } from "./template-rank";

const template = (name: string, language = "en_US", paramCount = 0) => ({ name, language, paramCount });
const names = (templates: readonly { name: string; language: string }[]) =>
  templates.map(({ name, language }) => `${name} ${language}`);

it("puts the most alike name first, whatever its language", () => {
  const all = [template("welcome"), template("order_shipped", "de"), template("order_update", "en_US", 3)];
  expect(names(rankTemplates(all, { name: "Order-Updates", language: "de" }))).toEqual([
    "order_update en_US",
    "order_shipped de",
    "welcome en_US",
  ]);
});

it("prefers the right language, then another country of it, among names that are equally alike", () => {
  const all = [template("hello", "fr"), template("hello", "en_GB"), template("hello", "en_US")];
  expect(names(rankTemplates(all, { name: "hello", language: "en-us" }))).toEqual([
    "hello en_US",
    "hello en_GB",
    "hello fr",
  ]);
});

it("prefers fewer values to fill in where nothing else decides, and is stable", () => {
  const all = [template("b", "de", 2), template("c", "de", 1), template("a", "de", 1)];
  expect(names(rankTemplates(all, {}))).toEqual(["a de", "c de", "b de"]);
  expect(names(rankTemplates(all, { name: "" }))).toEqual(["a de", "c de", "b de"]);
});
