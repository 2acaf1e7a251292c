import { describe, expect, it } from "vitest";
import { queryTerms, tokenize } from "./tokenize";

describe("a text", () => {
  it.each<[string, string, string[]]>([
    [
      "is cut where there is neither letter nor number",
      "Don't panic: 42% of e-mails!",
      ["don", "t", "panic", "42", "of", "e", "mails"],
    ],
    [
      "keeps letters of every script",
      "Größe Ωμέγα привет مرحبا 你好 हिन्दी",
      ["größe", "ωμέγα", "привет", "مرحبا", "你好", "हिन", "दी"],
    ],
    ["knows every kind of number", "²½Ⅷ٣", ["²½ⅷ٣"]],
    ["lowers each letter by itself", "ΣΟΦΟΣ İ", ["σοφοσ", "i̇"]],
    ["has no words", "... 👋 --", []],
  ])("%s", (_name, text, words) => {
    expect(tokenize(text)).toEqual(words);
  });

  it("loses words of 32 bytes and more, whatever their letters take", () => {
    expect(tokenize(`${"a".repeat(31)} ${"a".repeat(32)}`)).toEqual(["a".repeat(31)]);
    expect(tokenize(`${"я".repeat(15)} ${"я".repeat(16)}`)).toEqual(["я".repeat(15)]);
  });
});

describe("a search", () => {
  it("takes its last word for the beginning of one", () => {
    expect(queryTerms("the The quick bro")).toEqual({ exact: ["the", "quick"], prefix: "bro" });
    expect(queryTerms("one")).toEqual({ exact: [], prefix: "one" });
    expect(queryTerms(" !")).toEqual({ exact: [], prefix: null });
  });

  it("ignores what comes after its sixteenth word", () => {
    const words = Array.from({ length: 20 }, (_, i) => `w${i}`);
    const { exact, prefix } = queryTerms(words.join(" "));
    expect([exact.length, prefix]).toEqual([15, "w15"]);
  });
});
