/**
 * The documents that hold one word, as bytes: four for each document, in no order.
 *
 *   place in the block (2, little endian) | how often the word occurs (1, at most 255) | length of the text (1, coarse)
 *
 * Fixed widths, because a search goes through hundreds of thousands of them: nothing has to be decoded to step over
 * one. No order, because then SQLite can append a new one without anybody reading the block.
 */

/** Rows of the `docs` table that share a block. A word that is written has its block written anew. */
export const BLOCK_SIZE = 16_384;
export const POSTING_BYTES = 4;

export type Posting = { readonly count: number; readonly lengthCode: number };

const COUNT_MAX = 255;
/** Lengths up to here are kept as they are; above, an eighth of a power of two makes a step. */
const EXACT_LENGTH_MAX = 63;
const STEPS_PER_DOUBLING = 8;
const LENGTH_CODE_MAX = 255;

/** The length of a text in words, in one byte: exact for messages, within a tenth for longer texts. */
export function lengthCode(length: number): number {
  if (length <= EXACT_LENGTH_MAX) {
    return length;
  }
  const steps = Math.round(Math.log2(length / EXACT_LENGTH_MAX) * STEPS_PER_DOUBLING);
  return Math.min(LENGTH_CODE_MAX, EXACT_LENGTH_MAX + steps);
}

/** The length that a code stands for. */
export const lengthOfCode = (code: number): number =>
  code <= EXACT_LENGTH_MAX ? code : EXACT_LENGTH_MAX * 2 ** ((code - EXACT_LENGTH_MAX) / STEPS_PER_DOUBLING);

/** Postings by their place in the block, as bytes. */
export function encodePostings(postings: ReadonlyMap<number, Posting>): Uint8Array {
  const block = new Uint8Array(postings.size * POSTING_BYTES);
  let at = 0;
  for (const [place, { count, lengthCode: code }] of postings) {
    block[at] = place & 0xff;
    block[at + 1] = place >> 8;
    block[at + 2] = Math.min(count, COUNT_MAX);
    block[at + 3] = code;
    at += POSTING_BYTES;
  }
  return block;
}

/** A block without some of its places. */
export function withoutPlaces(block: Uint8Array, places: ReadonlySet<number>): Uint8Array {
  const rest = new Uint8Array(block.length);
  let to = 0;
  for (let at = 0; at < block.length; at += POSTING_BYTES) {
    if (!places.has(placeAt(block, at))) {
      rest.set(block.subarray(at, at + POSTING_BYTES), to);
      to += POSTING_BYTES;
    }
  }
  return rest.subarray(0, to);
}

/** The place of the posting that begins at byte `at`. */
export const placeAt = (block: Uint8Array, at: number): number =>
  (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);
