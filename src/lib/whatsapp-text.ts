/**
 * WhatsApp's text marks as a tree. The result is data: whoever draws it creates elements, so that nothing a customer
 * writes is ever read as HTML. Marks work as on the phone: *bold*, _italic_, ~strike~ inside one line, touching
 * their words, and ```code``` across lines, in which nothing else counts.
 */
export type TextNode = LinkNode | MarkedNode | { readonly kind: "text" | "code"; readonly text: string };

interface LinkNode {
  readonly kind: "link";
  readonly text: string;
  readonly href: string;
}

interface MarkedNode {
  readonly kind: Mark;
  readonly children: readonly TextNode[];
}

type Mark = "bold" | "italic" | "strike";

const MARKS: Readonly<Record<string, Mark>> = { "*": "bold", _: "italic", "~": "strike" };

/** Longest address that becomes a link; browsers and servers agree on about this much. */
const LINK_CHARACTERS_MAX = 2048;

const CODE = /```([\s\S]+?)```/g;
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`]+/gi;

/** Takes time in proportion to the length of the text, whatever is in it; nesting is at most three marks deep. */
export function parseWhatsAppText(text: string): TextNode[] {
  const nodes: TextNode[] = [];
  let end = 0;
  for (const match of text.matchAll(CODE)) {
    nodes.push(...parseMarked(text.slice(end, match.index)), { kind: "code", text: match[1] ?? "" });
    end = match.index + match[0].length;
  }
  return [...nodes, ...parseMarked(text.slice(end))];
}

interface Source {
  readonly text: string;
  /** By the place where they start. Nothing inside an address is a mark. */
  readonly links: ReadonlyMap<number, LinkNode>;
}

function parseMarked(text: string): TextNode[] {
  return parseRange({ text, links: findLinks(text) }, 0, text.length, []);
}

function parseRange(source: Source, start: number, end: number, inside: readonly Mark[]): TextNode[] {
  const nodes: TextNode[] = [];
  /** Up to here it is known that a mark of this kind finds no partner. */
  const hopelessUntil: Record<Mark, number> = { bold: 0, italic: 0, strike: 0 };
  let plainStart = start;
  const take = (node: TextNode, from: number, to: number): number => {
    if (from > plainStart) nodes.push({ kind: "text", text: source.text.slice(plainStart, from) });
    nodes.push(node);
    plainStart = to;
    return to;
  };

  let index = start;
  while (index < end) {
    const link = source.links.get(index);
    if (link) {
      index = take(link, index, index + link.text.length);
      continue;
    }
    const mark = MARKS[source.text[index] ?? ""];
    if (mark && !inside.includes(mark) && index >= hopelessUntil[mark] && opens(source.text, index)) {
      const close = findClosing(source, index, end);
      if (close.found) {
        const children = parseRange(source, index + 1, close.at, [...inside, mark]);
        index = take({ kind: mark, children }, index, close.at + 1);
        continue;
      }
      hopelessUntil[mark] = close.at;
    }
    index++;
  }
  if (end > plainStart) nodes.push({ kind: "text", text: source.text.slice(plainStart, end) });
  return nodes;
}

/** A mark opens at the edge of a word that it touches. */
function opens(text: string, at: number): boolean {
  return !isWord(text[at - 1]) && !isSpace(text[at + 1]) && text[at + 1] !== text[at];
}

/** The partner of the mark at `start`, in the same line; without one, `at` is where the search ended. */
function findClosing({ text, links }: Source, start: number, end: number): { found: boolean; at: number } {
  const mark = text[start];
  let index = start + 1;
  while (index < end && text[index] !== "\n") {
    const link = links.get(index);
    if (link) {
      index += link.text.length;
      continue;
    }
    const closes = text[index] === mark && !isSpace(text[index - 1]) && !isWord(text[index + 1]);
    if (closes && index > start + 1) return { found: true, at: index };
    index++;
  }
  return { found: false, at: index };
}

function findLinks(text: string): Map<number, LinkNode> {
  const links = new Map<number, LinkNode>();
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutTrailingPunctuation(match[0]);
    if (address.length > LINK_CHARACTERS_MAX || !URL.canParse(address)) continue;
    const url = new URL(address);
    if (url.protocol !== "http:" && url.protocol !== "https:") continue;
    links.set(match.index, { kind: "link", text: address, href: url.href });
  }
  return links;
}

/** A sentence's own punctuation, or the mark that ends a bold address, is not part of the address. */
function withoutTrailingPunctuation(address: string): string {
  const hasOpening = address.includes("(");
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1] ?? "";
    const isStray = /[.,;:!?*_~\]}]/.test(last) || (last === ")" && !hasOpening);
    if (!isStray) break;
    end--;
  }
  return address.slice(0, end);
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}

function isSpace(character: string | undefined): boolean {
  return character === undefined || /\s/.test(character);
}
