import { BLOCK_SIZE, POSTING_BYTES } from "../storage/postings";
import type { PostingBlock, SearchBlock, SearchReader } from "../storage/search-reader";
import type { FilterCondition } from "../storage/search-terms";
import { impact, type WeighedWord } from "./scoring";
import { TopRows } from "./top-rows";

/** Blocks that are scored together: a window of 262,144 rows, a megabyte of scores. */
const WINDOW_BLOCKS = 16;
const WINDOW_ROWS = WINDOW_BLOCKS * BLOCK_SIZE;
/**
 * Occurrences of words that one search looks at, about 15 ms of work. Rare words are looked at wholly; what is left is
 * for common ones, newest documents first, so that the most common word in a very large table finds the newest of them.
 */
const POSTINGS_MAX = 2_000_000;

export type StoredQuery = {
  readonly xid: number;
  /** In any order. */
  readonly words: readonly WeighedWord[];
  readonly filters: readonly FilterCondition[];
  readonly norms: Float32Array;
  /** Rows that must not be found: the reader sees other versions of them. */
  readonly hidden: ReadonlySet<number>;
  readonly limit: number;
};

export type FoundRow = { readonly rid: number; readonly score: number; readonly time: number };

/** The best rows of a search among those on disk: by score, then newest first. */
export function bestRows(
  reader: SearchReader,
  blocks: ReadonlyMap<number, SearchBlock>,
  query: StoredQuery,
): FoundRow[] {
  const scan = new Scan(reader, query);
  const top = new TopRows(query.limit, blocks, reader.times(query.xid));
  for (const window of windowsOf(blocks)) {
    scan.window(window, top);
  }
  return top.finish();
}

/** Windows that have documents, newest first. */
function windowsOf(blocks: ReadonlyMap<number, SearchBlock>): Set<number> {
  const windows = new Set<number>();
  for (const block of blocks.keys()) {
    windows.add(Math.floor(block / WINDOW_BLOCKS));
  }
  return windows;
}

class Scan {
  readonly #reader: SearchReader;
  readonly #query: StoredQuery;
  /** Rarest first; the order also fixes how sums are rounded. */
  readonly #words: readonly { readonly word: WeighedWord; left: number }[];
  readonly #scores = new Float32Array(WINDOW_ROWS);
  readonly #passed = new Uint8Array(WINDOW_ROWS);

  constructor(reader: SearchReader, query: StoredQuery) {
    this.#reader = reader;
    this.#query = query;
    let left = POSTINGS_MAX;
    this.#words = query.words.map((word) => {
      const share = Math.min(word.frequency, left);
      left -= share;
      return { word, left: share };
    });
  }

  window(window: number, top: TopRows): void {
    const first = window * WINDOW_BLOCKS;
    const spans =
      this.#query.filters.length === 0 ? [{ first, last: first + WINDOW_BLOCKS - 1 }] : this.#spans(first);
    if (spans.length === 0) {
      return;
    }
    this.#scores.fill(0);
    for (const state of this.#words) {
      for (const span of spans) {
        if (state.left > 0) {
          state.left -= this.#add(state.word, first, span);
        }
      }
    }
    const offset = first * BLOCK_SIZE;
    for (const rid of this.#query.hidden) {
      if (rid >= offset && rid < offset + WINDOW_ROWS) {
        this.#scores[rid - offset] = 0;
      }
    }
    const isFiltered = this.#query.filters.length > 0;
    for (const span of spans) {
      top.offer(
        this.#scores,
        isFiltered ? this.#passed : null,
        this.#query.filters.length,
        first,
        span.first,
        span.last,
      );
    }
    top.settle();
  }

  /** Marks the rows of a window that pass all filters, and answers the runs of blocks in which there may be some. */
  #spans(first: number): { first: number; last: number }[] {
    const last = first + WINDOW_BLOCKS - 1;
    this.#passed.fill(0);
    let candidates: Set<number> | null = null;
    for (const filter of this.#query.filters) {
      const found = new Set<number>();
      for (const { block, data } of this.#reader.filtered(this.#query.xid, filter, first, last)) {
        if (candidates === null || candidates.has(block)) {
          found.add(block);
          mark(this.#passed, data, (block - first) * BLOCK_SIZE);
        }
      }
      candidates = found;
      if (found.size === 0) {
        return [];
      }
    }
    return runsOf([...(candidates ?? [])].sort((a, b) => a - b)).reverse();
  }

  /** Adds what a word gives to the scores of a span; answers how many occurrences were looked at. */
  #add({ word, weight }: WeighedWord, first: number, span: { first: number; last: number }): number {
    let seen = 0;
    for (const block of this.#reader.postings(this.#query.xid, word, span.first, span.last)) {
      addImpacts(this.#scores, block, (block.block - first) * BLOCK_SIZE, weight, this.#query.norms);
      seen += block.data.length / POSTING_BYTES;
    }
    return seen;
  }
}

function addImpacts(
  scores: Float32Array,
  { data }: PostingBlock,
  offset: number,
  weight: number,
  norms: Float32Array,
): void {
  for (let at = 0; at < data.length; at += POSTING_BYTES) {
    const place = offset + ((data[at] ?? 0) | ((data[at + 1] ?? 0) << 8));
    scores[place] = (scores[place] ?? 0) + impact(weight, data[at + 2] ?? 0, norms[data[at + 3] ?? 0] ?? 1);
  }
}

function mark(passed: Uint8Array, data: Uint8Array, offset: number): void {
  for (let at = 0; at < data.length; at += POSTING_BYTES) {
    const place = offset + ((data[at] ?? 0) | ((data[at + 1] ?? 0) << 8));
    passed[place] = (passed[place] ?? 0) + 1;
  }
}

function runsOf(blocks: readonly number[]): { first: number; last: number }[] {
  const runs: { first: number; last: number }[] = [];
  for (const block of blocks) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === block - 1) {
      run.last = block;
    } else {
      runs.push({ first: block, last: block });
    }
  }
  return runs;
}
