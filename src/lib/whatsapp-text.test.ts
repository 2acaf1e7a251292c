import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseWhatsAppText, type TextNode } from "./whatsapp-text";

/** A tree as one line: b(…) i(…) s(…) code[…] link[…]. */
function outline(nodes: readonly TextNode[]): string {
  return nodes
    .map((node) => {
      switch (node.kind) {
        case "text":
          return node.text;
        case "code":
          return `code[${node.text}]`;
        case "link":
          return `link[${node.href}]`;
        default:
          return `${node.kind[0]}(${outline(node.children)})`;
      }
    })
    .join("");
}

describe("marks", () => {
  test.each([
    ["plain", "plain"],
    ["*bold*", "b(bold)"],
    ["_italic_ and ~strike~", "i(italic) and s(strike)"],
    ["*bold _and italic_*", "b(bold i(and italic))"],
    ["*_~all~_*", "b(i(s(all)))"],
    ["```a *b* c```", "code[a *b* c]"],
    ["```one\ntwo```", "code[one\ntwo]"],
    ["(*bold*), yes", "(b(bold)), yes"],
    ["*مرحبا*", "b(مرحبا)"],
  ])("%j becomes %j", (text, expected) => {
    expect(outline(parseWhatsAppText(text))).toBe(expected);
  });

  test.each([
    "snake_case_name",
    "2*3*4",
    "* not bold *",
    "*not bold *",
    "*open",
    "**",
    "* *",
    "*a\nb*",
    "é*a*",
    "```",
  ])("%j stays as it is", (text) => {
    expect(parseWhatsAppText(text)).toEqual([{ kind: "text", text }]);
  });

  test("do not nest in themselves", () => {
    expect(outline(parseWhatsAppText("*a *b* c*"))).toBe("b(a *b) c*");
  });
});

describe("links", () => {
  test.each([
    ["see https://example.com.", "see link[https://example.com/]."],
    ["(https://example.com/a)", "(link[https://example.com/a])"],
    ["https://example.com/a_(b)", "link[https://example.com/a_(b)]"],
    ["https://example.com/_a_*b*?x=~1~", "link[https://example.com/_a_*b*?x=~1]~"],
    ["*https://example.com*", "b(link[https://example.com/])"],
    ["HTTP://EXAMPLE.COM", "link[http://example.com/]"],
  ])("%j becomes %j", (text, expected) => {
    expect(outline(parseWhatsAppText(text))).toBe(expected);
  });

  test.each([
    "javascript:alert(1)",
    "data:text/html,x",
    "ftp://example.com",
    "xhttp://example.com",
    "https://",
    "http://a b",
  ])("%j is not one", (text) => {
    const kinds = parseWhatsAppText(text).map((node) => node.kind);
    expect(text === "http://a b" ? kinds.slice(1) : kinds).not.toContain("link");
  });

  test("of absurd length stay text", () => {
    const address = `https://example.com/${"a".repeat(5000)}`;
    expect(parseWhatsAppText(address)).toEqual([{ kind: "text", text: address }]);
  });
});

const SIGNS = { bold: "*", italic: "_", strike: "~" } as const;

/** The text that a tree was read from. */
function source(nodes: readonly TextNode[]): string {
  return nodes
    .map((node) => {
      if ("children" in node) return SIGNS[node.kind] + source(node.children) + SIGNS[node.kind];
      return node.kind === "code" ? `\`\`\`${node.text}\`\`\`` : node.text;
    })
    .join("");
}

describe("nothing of a text is lost", () => {
  test("whatever is in it", () => {
    const parts = [
      "*",
      "_",
      "~",
      "`",
      "```",
      " ",
      "\n",
      "a",
      "é",
      "🦊",
      "https://x.y/",
      ".",
      "(",
      ")",
      "<b>",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 40 }), (chosen) => {
        const text = chosen.join("");
        expect(source(parseWhatsAppText(text))).toBe(text);
      }),
    );
  });

  test.each(["*a ", "_~*", "*a_b~", "```", "https://x.y/*", "*\n"])(
    "however often %j is repeated",
    (part) => {
      const text = part.repeat(20_000);
      expect(source(parseWhatsAppText(text))).toBe(text);
    },
  );
});
