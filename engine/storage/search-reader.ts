import { afterPrefix, bytesToKey, type Key, keyToBytes } from "../values/key";
import type { SqliteStatement, SqlRow } from "./driver";
import { POSTING_BYTES } from "./postings";
import { filterTerm, TIME_BYTES, TIMES_SIZE, wordOfTerm, wordTerm } from "./search-layout";
import type { FilterCondition } from "./search-terms";

/** What a block says about its documents as a whole. */
export type SearchBlock = { readonly docs: number; readonly words: number; readonly maxTime: number };

export type WordFrequency = { readonly word: string; readonly frequency: number };
export type PostingBlock = { readonly block: number; readonly data: Uint8Array };

/** The postings of term `?2` in each block: one step into the table for each, whatever else the blocks hold. */
const OF_EACH_BLOCK =
  "FROM search_blocks b CROSS JOIN search_postings p ON p.xid = b.xid AND p.block = b.block AND p.term = ?2";
/** As many as a search wants of them at most. */
const WORDS_PER_PAGE = 16;

/** Reads search indexes: always the newest state on disk. */
export class SearchReader {
  readonly #prepare: (sql: string) => SqliteStatement;

  constructor(prepare: (sql: string) => SqliteStatement) {
    this.#prepare = prepare;
  }

  /** The blocks of an index, newest rows first. */
  blocks(xid: number): Map<number, SearchBlock> {
    const rows = this.#prepare(
      "SELECT block, docs, words, max_time FROM search_blocks WHERE xid = ? ORDER BY block DESC",
    ).all(xid);
    return new Map(
      rows.map((row) => [
        Number(row["block"]),
        { docs: Number(row["docs"]), words: Number(row["words"]), maxTime: Number(row["max_time"]) },
      ]),
    );
  }

  /** In how many documents a word occurs. */
  frequency(xid: number, word: string): number {
    const row = this.#prepare(
      `SELECT coalesce(sum(length(p.data)), 0) AS bytes ${OF_EACH_BLOCK} WHERE b.xid = ?1`,
    ).get(xid, keyToBytes(wordTerm(word)));
    return Number(row?.["bytes"] ?? 0) / POSTING_BYTES;
  }

  /** The words that begin with `prefix` and in how many documents each occurs, in the order of their bytes. */
  *wordsFrom(xid: number, prefix: string): Generator<WordFrequency> {
    const blocks = [...this.blocks(xid).keys()];
    const end = afterPrefix(wordTerm(prefix)) ?? "";
    let start = wordTerm(prefix);
    for (;;) {
      const bytes = new Map<Key, number>();
      for (const block of blocks) {
        for (const { term, length } of this.#termsOf(xid, block, start, end)) {
          bytes.set(term, (bytes.get(term) ?? 0) + length);
        }
      }
      // What comes first in the whole index comes first in each block that has it, so that nothing of it is missing.
      const page = [...bytes.keys()].sort().slice(0, WORDS_PER_PAGE);
      for (const term of page) {
        yield { word: wordOfTerm(term), frequency: (bytes.get(term) ?? 0) / POSTING_BYTES };
      }
      const last = page.at(-1);
      if (last === undefined || page.length < WORDS_PER_PAGE) {
        return;
      }
      start = `${last}\0`;
    }
  }

  #termsOf(xid: number, block: number, start: Key, end: Key): { term: Key; length: number }[] {
    return this.#prepare(
      `SELECT term, length(data) AS length FROM search_postings
       WHERE xid = ? AND block = ? AND term >= ? AND term < ? ORDER BY term LIMIT ${WORDS_PER_PAGE}`,
    )
      .all(xid, block, keyToBytes(start), keyToBytes(end))
      .map((row) => ({ term: bytesToKey(blobOf(row, "term")), length: Number(row["length"]) }));
  }

  /** Where a word occurs, from block `first` to block `last`. */
  postings(xid: number, word: string, first: number, last: number): PostingBlock[] {
    return this.#postings(xid, wordTerm(word), first, last);
  }

  /** Where the words from `from` to `to` occur: block by block, in each the words in the order of their bytes. */
  postingsBetween(
    xid: number,
    { from, to }: { from: string; to: string },
    first: number,
    last: number,
  ): (PostingBlock & { word: string })[] {
    return this.#prepare(
      `SELECT b.block, p.term, p.data FROM search_blocks b CROSS JOIN search_postings p
         ON p.xid = b.xid AND p.block = b.block AND p.term BETWEEN ?2 AND ?3
       WHERE b.xid = ?1 AND b.block BETWEEN ?4 AND ?5`,
    )
      .all(xid, keyToBytes(wordTerm(from)), keyToBytes(wordTerm(to)), first, last)
      .map((row) => ({
        block: Number(row["block"]),
        word: wordOfTerm(bytesToKey(blobOf(row, "term"))),
        data: blobOf(row, "data"),
      }));
  }

  /** Which documents have a value in a filter field, from block `first` to block `last`. */
  filtered(xid: number, { field, key }: FilterCondition, first: number, last: number): PostingBlock[] {
    return this.#postings(xid, filterTerm(field, key), first, last);
  }

  /** All postings of a block, of words and of filter values. */
  blockPostings(xid: number, block: number): { term: Key; data: Uint8Array }[] {
    return this.#prepare("SELECT term, data FROM search_postings WHERE xid = ? AND block = ?")
      .all(xid, block)
      .map((row) => ({ term: bytesToKey(blobOf(row, "term")), data: blobOf(row, "data") }));
  }

  /** Creation times of rows, read part by part. */
  times(xid: number): (rid: number) => number {
    const parts = new Map<number, Buffer | null>();
    return (rid) => {
      const part = Math.floor(rid / TIMES_SIZE);
      let data = parts.get(part);
      if (data === undefined) {
        const row = this.#prepare("SELECT data FROM search_times WHERE xid = ? AND part = ?").get(xid, part);
        data = row === undefined ? null : asBuffer(blobOf(row, "data"));
        parts.set(part, data);
      }
      const at = (rid % TIMES_SIZE) * TIME_BYTES;
      return data === null || at + TIME_BYTES > data.length ? 0 : data.readDoubleLE(at);
    };
  }

  /** The ids of rows; null where there is none. */
  idOf(rid: number): string | null {
    const row = this.#prepare("SELECT id FROM docs WHERE rid = ?").get(rid);
    return row === undefined ? null : String(row["id"]);
  }

  #postings(xid: number, term: Key, first: number, last: number): PostingBlock[] {
    return this.#prepare(
      `SELECT b.block, p.data ${OF_EACH_BLOCK} WHERE b.xid = ?1 AND b.block BETWEEN ?3 AND ?4`,
    )
      .all(xid, keyToBytes(term), first, last)
      .map((row) => ({ block: Number(row["block"]), data: blobOf(row, "data") }));
  }
}

function blobOf(row: SqlRow, column: string): Uint8Array {
  const value = row[column];
  return value instanceof Uint8Array ? value : new Uint8Array();
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
