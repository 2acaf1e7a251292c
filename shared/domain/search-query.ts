import { cleanText, preview } from "../text";

/** Longest query that is read; what somebody remembers of a message is shorter. */
export const SEARCH_QUERY_CHARACTERS_MAX = 512;

/** What somebody looks for among the messages of a business number. A part that is absent decides nothing. */
export interface SearchQuery {
  /** Words to look for, as one text for the index. */
  readonly words: string;
  /** Parts in quotation marks, lower case, each of which must stand there as it is. */
  readonly phrases: readonly string[];
  /** Who wrote it: one side of the conversation, or one customer as somebody names them. */
  readonly from?: { readonly side: "customer" | "business" } | { readonly contact: string };
  /** In the conversation with this customer, as somebody names them. */
  readonly in?: string;
  /** Milliseconds; the moment itself is outside. */
  readonly before?: number;
  /** Milliseconds; the moment itself is inside. */
  readonly after?: number;
  /** WhatsApp's name of the kind of message, lower case. */
  readonly type?: string;
  readonly hasMedia?: true;
}

type Part = Partial<Omit<SearchQuery, "words" | "phrases">>;
export type ParsedQuery = { ok: true; query: SearchQuery } | { ok: false; problem: string };

const OPERATORS: Readonly<Record<string, (value: string) => Part | string>> = {
  from: readFrom,
  in: (value) => ({ in: value }),
  before: (value) => readDay("before", value),
  after: (value) => readDay("after", value),
  type: (value) => ({ type: value.toLowerCase() }),
  has: (value) => (value.toLowerCase() === "media" ? { hasMedia: true } : "has: knows only has:media."),
};

/** `word:value`, `word:"value with blanks"`, `"a phrase"` or a word; the name of an operator is letters only. */
const TOKEN = /(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/giu;

/**
 * Reads a query as people write it: words, "phrases", and the operators `from:` (`me`, `customer` or a contact), `in:`,
 * `before:` and `after:` (a date or a moment in ISO 8601), `type:` and `has:media`. What only looks like an operator,
 * such as a web address, is a word.
 */
export function parseSearchQuery(text: string): ParsedQuery {
  if (text.length > SEARCH_QUERY_CHARACTERS_MAX) {
    return { ok: false, problem: `A query has at most ${SEARCH_QUERY_CHARACTERS_MAX} characters.` };
  }
  const words: string[] = [];
  const phrases: string[] = [];
  let parts: Part = {};
  for (const [token, name = "", quoted, bare] of cleanText(text).matchAll(TOKEN)) {
    const value = (quoted ?? bare ?? "").trim();
    const read = Object.hasOwn(OPERATORS, name.toLowerCase()) ? OPERATORS[name.toLowerCase()] : undefined;
    if (read === undefined) {
      words.push(quoted ?? token);
      if (quoted !== undefined && value !== "") phrases.push(value.toLowerCase());
      continue;
    }
    if (value === "") return { ok: false, problem: `${name.toLowerCase()}: needs a value.` };
    const part = read(value);
    if (typeof part === "string") return { ok: false, problem: part };
    parts = { ...parts, ...part };
  }
  return { ok: true, query: { ...parts, words: words.join(" ").trim(), phrases } };
}

function readFrom(value: string): Part {
  const word = value.toLowerCase();
  if (word === "me" || word === "business") return { from: { side: "business" } };
  if (word === "customer") return { from: { side: "customer" } };
  return { from: { contact: value } };
}

function readDay(name: "before" | "after", value: string): Part | string {
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(value);
  const isMoment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/i.test(value);
  const at = isDate || isMoment ? Date.parse(isDate ? `${value}T00:00:00Z` : value) : Number.NaN;
  // A date that the calendar does not have would otherwise silently be another one.
  const isReal = !Number.isNaN(at) && (!isDate || new Date(at).toISOString().startsWith(value));
  return isReal ? { [name]: at } : `${name}: needs a date such as 2026-01-31 (UTC).`;
}

/** Length of the part of a message that shows why it was found. */
const SNIPPET_CHARACTERS_MAX = 160;
/** How much of it stands before the first word that was looked for. */
const SNIPPET_LEAD_CHARACTERS = 40;

/** One line of the text around the first of the words that stands in it; from its start when none does. */
export function snippetOf(text: string, words: string): string {
  const haystack = text.toLowerCase();
  const places = words
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => haystack.indexOf(word))
    .filter((place) => place >= 0);
  const first = places.length === 0 ? 0 : Math.min(...places);
  const start = first > SNIPPET_LEAD_CHARACTERS ? wordStart(text, first - SNIPPET_LEAD_CHARACTERS) : 0;
  return `${start > 0 ? "…" : ""}${preview(text.slice(start), SNIPPET_CHARACTERS_MAX)}`;
}

/** The next place where a word begins, so that the snippet does not start inside one. */
function wordStart(text: string, from: number): number {
  const blank = text.slice(from, from + SNIPPET_LEAD_CHARACTERS).search(/\s/);
  return blank === -1 ? from : from + blank + 1;
}

/** Whether a message that the index found is one that the query asks for. */
export function fitsQuery(
  query: SearchQuery,
  message: {
    type: string;
    direction: "inbound" | "outbound";
    timestamp: number;
    text: string;
    media: boolean;
  },
): boolean {
  const { before, after, type, hasMedia, from, phrases } = query;
  const side = from === undefined ? undefined : "side" in from ? from.side : "customer";
  const text = message.text.toLowerCase();
  return (
    (before === undefined || message.timestamp < before) &&
    (after === undefined || message.timestamp >= after) &&
    (type === undefined || message.type === type) &&
    (hasMedia === undefined || message.media) &&
    (side === undefined || (side === "customer") === (message.direction === "inbound")) &&
    phrases.every((phrase) => text.includes(phrase))
  );
}
