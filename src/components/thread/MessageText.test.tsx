import { afterEach, describe, expect, test } from "vitest";
import { render } from "../../../tests/support/render";
import { MessageText } from "./MessageText";

let unmount: (() => Promise<void>) | undefined;
afterEach(async () => unmount?.());

async function show(text: string): Promise<HTMLElement> {
  const page = await render(<MessageText text={text} />);
  unmount = page.unmount;
  return page.container;
}

/** Ways in which text has become code in other products. */
const HOSTILE = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg/onload=alert(1)>",
  "<a href='javascript:alert(1)'>click</a>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "javascript:alert(1)",
  "data:text/html;base64,PHNjcmlwdD4=",
  "vbscript:msgbox(1)",
  "{{constructor.constructor('alert(1)')()}}",
  "]]><script>alert(1)</script>",
  '"><style>*{display:none}</style>',
  "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
];

describe("what a customer writes", () => {
  test.each(HOSTILE)("stays text: %s", async (text) => {
    const container = await show(text);
    expect(container.textContent).toBe(text);
    expect([...container.querySelectorAll("*")].map(({ tagName }) => tagName)).toEqual(["SPAN"]);
  });

  test.each(HOSTILE)("stays text inside marks and code: %s", async (text) => {
    const container = await show(`*x* \`\`\`${text}\`\`\` _y_`);
    expect(container.textContent).toBe(`x ${text} y`);
    expect([...container.querySelectorAll("*")].map(({ tagName }) => tagName)).toEqual([
      "SPAN",
      "STRONG",
      "CODE",
      "EM",
    ]);
  });

  test("takes its direction from its own letters", async () => {
    const container = await show("مرحبا");
    expect(container.querySelector("[dir=auto]")?.textContent).toBe("مرحبا");
  });
});

describe("links", () => {
  test("lead out in a new tab that knows nothing of this one", async () => {
    const link = (await show("see https://example.com/a?b=1&c=<d>")).querySelector("a");
    expect(link?.getAttribute("href")).toBe("https://example.com/a?b=1&c=");
    expect(link?.target).toBe("_blank");
    expect(link?.rel.split(" ")).toEqual(expect.arrayContaining(["noopener", "noreferrer"]));
  });

  test.each([
    "javascript://example.com/%0aalert(1)",
    "JAVASCRIPT:alert(1)",
    "java\tscript:alert(1)",
    "file:///etc/passwd",
  ])("are not made of %j", async (text) => {
    expect((await show(text)).querySelector("a")).toBeNull();
  });
});
