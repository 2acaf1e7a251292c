import { attempt, notify } from "./acts";
import { button, element } from "./dom";
import { icon } from "./icons";

/** Longest text that is coloured; a longer one is shown plain, so that a huge webhook does not hold up the page. */
const COLOURED_CHARACTERS_MAX = 60_000;
const SHOWN_CHARACTERS_MAX = 400_000;

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A value as indented JSON with a button that copies it. What is no JSON is shown as it is. */
export function jsonView(title: string, value: unknown): HTMLElement {
  const text = typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
  const shown = text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
  const isPlain = typeof value === "string" || shown.length > COLOURED_CHARACTERS_MAX;
  return element(
    "figure",
    { class: "json" },
    element("figcaption", {}, title, copyButton(`Copy ${title.toLowerCase()}`, text)),
    element(
      "pre",
      { tabindex: 0, role: "region", "aria-label": title },
      ...(isPlain ? [shown] : coloured(shown)),
    ),
  );
}

export function copyButton(label: string, text: string, words = "Copy"): HTMLButtonElement {
  const copy = async () => {
    if (await attempt(() => navigator.clipboard.writeText(text))) notify("Copied.");
  };
  const face = element("span", { class: "menu-face" }, icon("copy"), words);
  return button(face, () => void copy(), { class: "small", "aria-label": label });
}

function coloured(text: string): Node[] {
  const nodes: Node[] = [];
  let from = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [whole, quoted, colon] = match;
    nodes.push(document.createTextNode(text.slice(from, match.index)));
    const kind = quoted === undefined ? "literal" : colon === undefined ? "string" : "name";
    nodes.push(element("span", { class: kind }, quoted ?? whole), document.createTextNode(colon ?? ""));
    from = match.index + whole.length;
  }
  nodes.push(document.createTextNode(text.slice(from)));
  return nodes;
}
