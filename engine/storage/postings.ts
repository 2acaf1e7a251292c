/**
 * The documents that hold one word, as bytes: four for each document, in ascending order of its place in the block.
 *
 *   place in the block (2, little endian) | how often the word occurs (1, at most 255) | length of the text (1, coarse)
 *
 * Fixed widths, because a search goes through hundreds of thousands of them: nothing has to be decoded to step over
 * one, and one is replaced where it lies.
 */

/** Rows of the `docs` table that share a block. A word that is written has its block written anew. */
export const BLOCK_SIZE = 16_384;
export const POSTING_BYTES = 4;

export type Posting = { readonly place: number; readonly count: number; readonly lengthCode: number };

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

/**
 * A block with changes made to it.
 *
 * @param changes by place; null takes a document out
 */
export function mergePostings(
  block: Uint8Array,
  changes: ReadonlyMap<number, Omit<Posting, "place"> | null>,
): Uint8Array {
  const places = [...changes.keys()].sort((a, b) => a - b);
  const merged = new Uint8Array(block.length + places.length * POSTING_BYTES);
  let from = 0;
  let to = 0;
  for (const place of places) {
    const end = lowerBound(block, place);
    merged.set(block.subarray(from, end), to);
    to += end - from;
    from = end < block.length && placeAt(block, end) === place ? end + POSTING_BYTES : end;
    const posting = changes.get(place);
    if (posting != null) {
      merged[to] = place & 0xff;
      merged[to + 1] = place >> 8;
      merged[to + 2] = Math.min(posting.count, COUNT_MAX);
      merged[to + 3] = posting.lengthCode;
      to += POSTING_BYTES;
    }
  }
  merged.set(block.subarray(from), to);
  return merged.subarray(0, to + block.length - from);
}

const placeAt = (block: Uint8Array, at: number): number => (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);

/** Where the first posting at or after `place` begins. */
function lowerBound(block: Uint8Array, place: number): number {
  let low = 0;
  let high = block.length / POSTING_BYTES;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (placeAt(block, middle * POSTING_BYTES) < place) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low * POSTING_BYTES;
}
