import { element } from "./dom";

const INLINE = /\*[^*\n]+\*|_[^_\n]+_|~[^~\n]+~|`[^`\n]+`|https?:\/\/[^\s<>"]+/g;

const TAGS = { "*": "strong", _: "em", "~": "s", "`": "code" } as const;

/** A text with WhatsApp's own marks: bold, italics, struck, code, quotes, lists and links. Made of text nodes only. */
export function richText(text: string): HTMLElement {
  const made = element("div", { class: "words", dir: "auto" });
  for (const [index, part] of text.split("```").entries()) {
    // Every other part stands between two marks; a mark that is never closed is text.
    const isBlock = index % 2 === 1 && text.split("```").length % 2 === 1;
    if (isBlock) made.append(element("pre", {}, part.replace(/^\n|\n$/g, "")));
    else made.append(...lines(part));
  }
  return made;
}

function lines(text: string): Node[] {
  const all = text.split("\n");
  return all.flatMap((line, index): Node[] => {
    const quote = /^> (.*)$/.exec(line)?.[1];
    if (quote !== undefined) return [element("blockquote", {}, ...inline(quote))];
    const item = /^[-*] (.*)$/.exec(line)?.[1];
    if (item !== undefined) return [element("div", { class: "item" }, ...inline(item))];
    const end = index < all.length - 1 ? [document.createTextNode("\n")] : [];
    return [...inline(line), ...end];
  });
}

function inline(text: string): Node[] {
  const nodes: Node[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    const [found] = match;
    const mark = found[0];
    const isInWord =
      /\w/.test(text[match.index - 1] ?? "") || /\w/.test(text[match.index + found.length] ?? "");
    if (!found.startsWith("http") && isInWord) continue;
    nodes.push(document.createTextNode(text.slice(from, match.index)));
    nodes.push(mark !== undefined && isMark(mark) ? marked(mark, found.slice(1, -1)) : link(found));
    from = match.index + found.length;
  }
  nodes.push(document.createTextNode(text.slice(from)));
  return nodes;
}

function isMark(character: string): character is keyof typeof TAGS {
  return Object.hasOwn(TAGS, character);
}

function marked(mark: keyof typeof TAGS, inner: string): Node {
  return element(TAGS[mark], {}, ...(mark === "`" ? [inner] : inline(inner)));
}

/** A link that opens beside the page and tells nothing about it. */
export function link(url: string, label = url): HTMLAnchorElement {
  const isSafe = /^(https?:\/\/|tel:)/i.test(url);
  return element("a", { ...(isSafe && { href: url }), target: "_blank", rel: "noopener noreferrer" }, label);
}
