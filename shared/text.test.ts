import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanText, countCharacters, preview } from "./text";

describe("cleaning", () => {
  test("takes NUL out and replaces lone surrogates, and leaves everything else", () => {
    expect(cleanText("a\u0000b")).toBe("ab");
    expect(cleanText("\ud83d x \ude00")).toBe("\uFFFD x \uFFFD");
    expect(cleanText("ok 😀\u200f\n")).toBe("ok 😀\u200f\n");
  });

  test("leaves text that survives UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom("\ud800", "\udfff", ""), (text, lone) => {
        const clean = cleanText(text + lone);
        expect(new TextDecoder().decode(new TextEncoder().encode(clean))).toBe(clean);
        expect(clean).not.toContain("\u0000");
      }),
    );
  });
});

test("an emoji outside the basic plane counts once", () => {
  expect(countCharacters("😀é")).toBe(2);
});

describe("previews", () => {
  test("are one line", () => {
    expect(preview("  Hello\n\n  there ")).toBe("Hello there");
  });

  test("never cut a family in two", () => {
    const family = "👨‍👩‍👧‍👦";
    const text = preview(family.repeat(30));
    expect(text.replaceAll(family, "")).toBe("…");
  });

  test("never exceed their length, for any text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 600 }),
        fc.integer({ min: 2, max: 120 }),
        (text, max) => {
          expect(preview(text, max).length).toBeLessThanOrEqual(max);
        },
      ),
    );
  });

  test("end with an ellipsis only when something is missing", () => {
    expect(preview("a".repeat(100))).toBe("a".repeat(100));
    expect(preview("a".repeat(101))).toBe(`${"a".repeat(99)}…`);
    expect(preview(`short${" ".repeat(1000)}end`)).toBe("short…");
  });
});
