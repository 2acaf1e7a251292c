import { describe, expect, it } from "vitest";
import { fitsQuery, parseSearchQuery, SEARCH_QUERY_CHARACTERS_MAX, snippetOf } from "./search-query";

function query(text: string) {
  const parsed = parseSearchQuery(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.query;
}

describe("a query", () => {
  it("is words, phrases and operators in any order", () => {
    expect(
      query('blue  from:+16505551234 "two sizes" type:Image has:media shirt in:"+1 650 555 9999"'),
    ).toEqual({
      words: "blue two sizes shirt",
      phrases: ["two sizes"],
      from: { contact: "+16505551234" },
      type: "image",
      hasMedia: true,
      in: "+1 650 555 9999",
    });
    expect(query("FROM:me").from).toEqual({ side: "business" });
    expect(query("from:customer").from).toEqual({ side: "customer" });
    expect(query("   ")).toEqual({ words: "", phrases: [] });
  });

  it("takes a day as its beginning in UTC, and a moment as it is", () => {
    expect(query("after:2026-01-31 before:2026-02-01T12:30:00+02:00")).toMatchObject({
      after: Date.UTC(2026, 0, 31),
      before: Date.UTC(2026, 1, 1, 10, 30),
    });
  });

  it("takes what only looks like an operator for words", () => {
    expect(query("https://x.test/a?b=c 10:30 constructor:x").words).toBe(
      "https://x.test/a?b=c 10:30 constructor:x",
    );
  });

  it.each([
    ["before:tomorrow", "before: needs a date"],
    ["after:2026-02-30", "after: needs a date"],
    ["has:link", "has: knows only has:media"],
    ['in:""', "in: needs a value"],
    ["x".repeat(SEARCH_QUERY_CHARACTERS_MAX + 1), "at most"],
  ])("%s is refused with the reason", (text, problem) => {
    const parsed = parseSearchQuery(text);
    expect(parsed).toMatchObject({ ok: false });
    expect(JSON.stringify(parsed)).toContain(problem);
  });
});

describe("what fits a query", () => {
  const message = {
    type: "text",
    direction: "inbound" as const,
    timestamp: Date.UTC(2026, 0, 31, 12),
    text: "Do you have it in two SIZES?",
    media: false,
  };
  it.each([
    ['"two sizes"', true],
    ['"sizes two"', false],
    ["from:customer", true],
    ["from:+16505551234", true],
    ["from:me", false],
    ["type:image", false],
    ["has:media", false],
    ["after:2026-01-31 before:2026-02-01", true],
    ["before:2026-01-31T12:00:00Z", false],
    ["after:2026-01-31T12:00:00Z", true],
  ])("%s", (text, fits) => {
    expect(fitsQuery(query(text), message)).toBe(fits);
  });
});

describe("a snippet", () => {
  it("shows the words that were looked for, on one line", () => {
    const text = `${"Something else entirely. ".repeat(20)}Then the\ninvoice 4711 came. ${"And more. ".repeat(40)}`;
    const snippet = snippetOf(text, "invoice 4711");
    expect(snippet).toMatch(/^….*Then the invoice 4711 came\./);
    expect(snippet.length).toBeLessThanOrEqual(162);
    expect(snippet).not.toContain("\n");
  });

  it("is the text itself when that is short, or when the words stand elsewhere", () => {
    expect(snippetOf("Is it open?", "open")).toBe("Is it open?");
    expect(snippetOf("Is it open?", "nothing")).toBe("Is it open?");
  });
});
