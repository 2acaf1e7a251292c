import { BLOCK_SIZE, POSTING_BYTES, placeAt } from "../storage/postings";
import type { PostingBlock, SearchBlock, SearchReader } from "../storage/search-reader";
import type { FilterCondition } from "../storage/search-terms";
import { impact, type WeighedWord, type WeighedWords } from "./scoring";
import { TopRows } from "./top-rows";

/** Blocks that are scored together: a window of 262,144 rows, a megabyte of scores. */
const WINDOW_BLOCKS = 16;
const WINDOW_ROWS = WINDOW_BLOCKS * BLOCK_SIZE;
/** With fewer places than this part of a window, sorting them costs less than going through the window. */
const SPARSE_PART = 32;
/**
 * Occurrences of words that one search looks at, about 15 ms of work. Rare words are looked at wholly; what is left is
 * for common ones, newest documents first, so that the most common word in a very large table finds the newest of them.
 */
const POSTINGS_MAX = 2_000_000;

export type StoredQuery = {
  readonly xid: number;
  readonly words: WeighedWords;
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
  const sheet = spareSheet ?? newSheet();
  // One that a failure left half filled is not used again.
  spareSheet = null;
  const scan = new Scan(reader, query, sheet);
  const top = new TopRows(query.limit, blocks, reader.times(query.xid));
  for (const window of windowsOf(blocks)) {
    scan.window(window, top);
  }
  spareSheet = sheet;
  return top.finish();
}

/** What a window is reckoned on; two megabytes that are not worth making for each search. */
type Sheet = {
  /** All zero between searches. */
  readonly scores: Float32Array;
  /** How many filters each row passes. */
  readonly passed: Uint8Array;
  /** Places that have a score. */
  readonly touched: Int32Array;
};

let spareSheet: Sheet | null = null;

const newSheet = (): Sheet => ({
  scores: new Float32Array(WINDOW_ROWS),
  passed: new Uint8Array(WINDOW_ROWS),
  touched: new Int32Array(WINDOW_ROWS),
});

/** Windows that have documents, newest first. */
function windowsOf(blocks: ReadonlyMap<number, SearchBlock>): Set<number> {
  const windows = new Set<number>();
  for (const block of blocks.keys()) {
    windows.add(Math.floor(block / WINDOW_BLOCKS));
  }
  return windows;
}

/** A word, and how many of its occurrences may still be looked at. */
type WordState = WeighedWord & { left: number };

class Scan {
  readonly #reader: SearchReader;
  readonly #query: StoredQuery;
  readonly #exact: readonly WordState[];
  readonly #begun: ReadonlyMap<string, WordState>;
  readonly #scores: Float32Array;
  readonly #passed: Uint8Array;
  readonly #touched: Int32Array;
  /** How many places of the window have a score. */
  #count = 0;

  constructor(reader: SearchReader, query: StoredQuery, sheet: Sheet) {
    this.#reader = reader;
    this.#query = query;
    this.#scores = sheet.scores;
    this.#passed = sheet.passed;
    this.#touched = sheet.touched;
    const { exact, begun } = query.words;
    const states = [...exact, ...begun].map((word): WordState => ({ ...word, left: 0 }));
    let left = POSTINGS_MAX;
    for (const state of [...states].sort((a, b) => a.frequency - b.frequency)) {
      state.left = Math.min(state.frequency, left);
      left -= state.left;
    }
    this.#exact = states.slice(0, exact.length);
    this.#begun = new Map(states.slice(exact.length).map((state) => [state.word, state]));
  }

  window(window: number, top: TopRows): void {
    const first = window * WINDOW_BLOCKS;
    const spans =
      this.#query.filters.length === 0 ? [{ first, last: first + WINDOW_BLOCKS - 1 }] : this.#spans(first);
    if (spans.length === 0) {
      return;
    }
    this.#count = 0;
    for (const span of spans) {
      this.#addSpan(first, span);
    }
    const offset = first * BLOCK_SIZE;
    for (const rid of this.#query.hidden) {
      if (rid >= offset && rid < offset + WINDOW_ROWS) {
        this.#scores[rid - offset] = 0;
      }
    }
    const places = this.#newestFirst(this.#count);
    top.offer(this.#scores, places, offset);
    for (let i = 0; i < places.length; i += 1) {
      this.#scores[places[i] ?? 0] = 0;
    }
  }

  /** Places with a score, newest first: once the best are found, older rows with the same score cannot matter. */
  #newestFirst(touched: number): Int32Array {
    if (touched < WINDOW_ROWS / SPARSE_PART) {
      return this.#touched.subarray(0, touched).sort().reverse();
    }
    let count = 0;
    for (let place = WINDOW_ROWS - 1; place >= 0; place -= 1) {
      if ((this.#scores[place] ?? 0) > 0) {
        this.#touched[count] = place;
        count += 1;
      }
    }
    return this.#touched.subarray(0, count);
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

  /** Adds what all words give to the scores of a span. */
  #addSpan(window: number, { first, last }: { first: number; last: number }): void {
    const { xid } = this.#query;
    for (const state of this.#exact) {
      if (state.left > 0) {
        for (const block of this.#reader.postings(xid, state.word, first, last)) {
          this.#add(state, block, window);
        }
      }
    }
    const [from] = this.#begun.keys();
    const to = [...this.#begun.keys()].at(-1);
    if (from !== undefined && to !== undefined) {
      // Words that begin alike lie side by side: one step into each block finds them all.
      for (const block of this.#reader.postingsBetween(xid, { from, to }, first, last)) {
        const state = this.#begun.get(block.word);
        if (state !== undefined && state.left > 0) {
          this.#add(state, block, window);
        }
      }
    }
  }

  #add(state: WordState, { block, data }: PostingBlock, window: number): void {
    const { norms, filters } = this.#query;
    const [scores, passed, touched] = [this.#scores, this.#passed, this.#touched];
    const { weight } = state;
    const offset = (block - window) * BLOCK_SIZE;
    let count = this.#count;
    for (let at = 0; at < data.length; at += POSTING_BYTES) {
      const place = offset + placeAt(data, at);
      if (filters.length > 0 && passed[place] !== filters.length) {
        continue;
      }
      const before = scores[place] ?? 0;
      if (before === 0) {
        touched[count] = place;
        count += 1;
      }
      scores[place] = before + impact(weight, data[at + 2] ?? 0, norms[data[at + 3] ?? 0] ?? 1);
    }
    this.#count = count;
    state.left -= data.length / POSTING_BYTES;
  }
}

function mark(passed: Uint8Array, data: Uint8Array, offset: number): void {
  for (let at = 0; at < data.length; at += POSTING_BYTES) {
    const place = offset + placeAt(data, at);
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
