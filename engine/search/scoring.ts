import { lengthCode, lengthOfCode } from "../storage/postings";
import type { DocumentTerms } from "../storage/search-terms";

/** Saturation of repeated words and weight of the text's length: the usual values of BM25, and Convex's. */
const K1 = 1.2;
const B = 0.75;
const CODES = 256;
const COUNT_MAX = 255;

/** How much a word of the search weighs, before the document is looked at. */
export type WeighedWord = { readonly word: string; readonly weight: number; readonly frequency: number };

/** All words of a search. Their order fixes how sums are rounded: first `exact` as it is, then `begun` as it is. */
export type WeighedWords = {
  readonly exact: readonly WeighedWord[];
  /** What the last word stands for, in the order of bytes. */
  readonly begun: readonly WeighedWord[];
};

/** Rare words weigh more. `boost` is 1 for a word, less for one that only begins as was asked. */
export function wordWeight(frequency: number, documents: number, boost: number): number {
  const rarity = Math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5));
  return boost * (K1 + 1) * rarity;
}

/** What the length of a text takes from its score, by `lengthCode`. */
export function lengthNorms(documents: number, words: number): Float32Array {
  const average = Math.max(1, words / Math.max(1, documents));
  return Float32Array.from({ length: CODES }, (_, code) => K1 * (1 - B + (B * lengthOfCode(code)) / average));
}

/** What one word adds to a score, `count` being how often it occurs. */
export const impact = (weight: number, count: number, norm: number): number =>
  (weight * count) / (count + norm);

/**
 * The score of a document that is not in the index on disk, to the last bit what the index would give it: sums are
 * rounded at each step, as they are in an array of 32-bit numbers. Zero where no word is in it.
 */
export function scoreOf(document: DocumentTerms, words: WeighedWords, norms: Float32Array): number {
  const norm = norms[lengthCode(document.length)] ?? 1;
  let score = 0;
  for (const { word, weight } of [...words.exact, ...words.begun]) {
    const count = document.counts.get(word);
    if (count !== undefined) {
      score = Math.fround(score + impact(weight, Math.min(count, COUNT_MAX), norm));
    }
  }
  return score;
}
