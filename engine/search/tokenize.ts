/** Longer words are in no index. Convex drops words of 32 bytes and more, counted before they are made lower case. */
const TERM_BYTES_LIMIT = 32;
/** Words of a search that count; those after them are ignored (Convex's `MAX_QUERY_TERMS`). */
const QUERY_TERMS_MAX = 16;

/** What Convex takes for a word: letters and numbers of any script. */
const WORD = /[\p{Alphabetic}\p{N}]+/gu;
const ASCII = /^[\0-\x7f]*$/;

/** The words of a text as they are indexed, in order, with repetitions. */
export function tokenize(text: string): string[] {
  const terms: string[] = [];
  for (const [word] of text.matchAll(WORD)) {
    if (word.length < TERM_BYTES_LIMIT && (ASCII.test(word) || Buffer.byteLength(word) < TERM_BYTES_LIMIT)) {
      terms.push(toLower(word));
    }
  }
  return terms;
}

/** What a search looks for: documents with any of these words, or with one that begins with `prefix`. */
export type QueryTerms = {
  /** Without repetitions; `prefix` is not among them unless it was also asked for as a word of its own. */
  readonly exact: readonly string[];
  /** The last word; null where there is no word at all, and nothing can be found. */
  readonly prefix: string | null;
};

export function queryTerms(text: string): QueryTerms {
  const terms = tokenize(text).slice(0, QUERY_TERMS_MAX);
  const prefix = terms.pop() ?? null;
  return { exact: [...new Set(terms)], prefix };
}

/**
 * Each character by itself, as Convex does it: `toLowerCase` of a whole word would write the Greek sigma at its end in
 * another way than inside it.
 */
function toLower(word: string): string {
  return ASCII.test(word) ? word.toLowerCase() : Array.from(word, (letter) => letter.toLowerCase()).join("");
}
