import { type Key, keyToBytes } from "../values/key";
import type { SqliteStatement, SqlValue } from "./driver";
import { BLOCK_SIZE, encodePostings, lengthCode, type Posting, withoutPlaces } from "./postings";
import { filterTerm, TIME_BYTES, TIMES_SIZE, wordTerm } from "./search-layout";
import { type DocumentTerms, haveSameWords } from "./search-terms";

/** Places of one block that lose the word, and then those that get it. */
type PostingChanges = { readonly removed: Set<number>; readonly added: Map<number, Posting> };
type BlockTotals = { docs: number; words: number; maxTime: number };

/** Changes of one search index that wait for the end of the SQLite transaction. */
type Buffered = {
  /** By term and block. */
  readonly postings: Map<Key, Map<number, PostingChanges>>;
  readonly times: Map<number, Map<number, number>>;
  readonly totals: Map<number, BlockTotals>;
};

/**
 * Writes search indexes. A word that many documents of one SQLite transaction share has its block rewritten once, at
 * the end, which is why changes are gathered until then.
 */
export class SearchWriter {
  readonly #prepare: (sql: string) => SqliteStatement;
  readonly #buffered = new Map<number, Buffered>();

  constructor(prepare: (sql: string) => SqliteStatement) {
    this.#prepare = prepare;
  }

  /** Replaces what the index knows of the document in row `rid`; null where it had or has no words. */
  change(xid: number, rid: number, old: DocumentTerms | null, next: DocumentTerms | null): void {
    if (old === next) {
      return;
    }
    const buffered = this.#of(xid);
    const block = Math.floor(rid / BLOCK_SIZE);
    const place = rid % BLOCK_SIZE;
    if (old === null || next === null || !haveSameWords(old, next)) {
      for (const term of old?.counts.keys() ?? []) {
        remove(changesOf(buffered, wordTerm(term), block), place);
      }
      const code = lengthCode(next?.length ?? 0);
      for (const [term, count] of next?.counts ?? []) {
        changesOf(buffered, wordTerm(term), block).added.set(place, { count, lengthCode: code });
      }
    }
    for (const [field, key] of (old?.filters ?? []).entries()) {
      if (key !== next?.filters[field]) {
        remove(changesOf(buffered, filterTerm(field, key), block), place);
      }
    }
    for (const [field, key] of (next?.filters ?? []).entries()) {
      if (key !== old?.filters[field]) {
        changesOf(buffered, filterTerm(field, key), block).added.set(place, { count: 1, lengthCode: 0 });
      }
    }
    if (next !== null) {
      timesOf(buffered, Math.floor(rid / TIMES_SIZE)).set(rid % TIMES_SIZE, next.creationTime);
    }
    const totals = totalsOf(buffered, block);
    totals.docs += (next === null ? 0 : 1) - (old === null ? 0 : 1);
    totals.words += (next?.length ?? 0) - (old?.length ?? 0);
    totals.maxTime = Math.max(totals.maxTime, next?.creationTime ?? 0);
  }

  /** Writes what was gathered; call before the SQLite transaction ends. */
  flush(): void {
    for (const [xid, { postings, times, totals }] of this.#buffered) {
      for (const [term, blocks] of postings) {
        for (const [block, changes] of blocks) {
          this.#writePostings(xid, keyToBytes(term), block, changes);
        }
      }
      for (const [part, changes] of times) {
        this.#writeTimes(xid, part, changes);
      }
      for (const [block, change] of totals) {
        this.#prepare(
          `INSERT INTO search_blocks (xid, block, docs, words, max_time) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET docs = docs + excluded.docs, words = words + excluded.words,
             max_time = max(max_time, excluded.max_time)`,
        ).run(xid, block, change.docs, change.words, change.maxTime);
      }
    }
    this.#buffered.clear();
  }

  /** Forgets what was gathered: the SQLite transaction failed. */
  discard(): void {
    this.#buffered.clear();
  }

  #writePostings(xid: number, term: Uint8Array, block: number, { removed, added }: PostingChanges): void {
    if (removed.size > 0) {
      this.#removePostings(xid, term, block, removed);
    }
    if (added.size > 0) {
      this.#prepare(
        `INSERT INTO search_postings (xid, block, term, data) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET data = CAST(data || excluded.data AS BLOB)`,
      ).run(xid, block, term, encodePostings(added));
    }
  }

  #removePostings(xid: number, term: Uint8Array, block: number, places: ReadonlySet<number>): void {
    const place = [xid, block, term];
    const before = this.#blob(
      "SELECT data FROM search_postings WHERE xid = ? AND block = ? AND term = ?",
      place,
    );
    const rest = before === null ? null : withoutPlaces(before, places);
    if (rest === null || rest.length === before?.length) {
      return;
    }
    if (rest.length === 0) {
      this.#prepare("DELETE FROM search_postings WHERE xid = ? AND block = ? AND term = ?").run(...place);
    } else {
      this.#prepare("UPDATE search_postings SET data = ? WHERE xid = ? AND block = ? AND term = ?").run(
        rest,
        ...place,
      );
    }
  }

  #writeTimes(xid: number, part: number, changes: ReadonlyMap<number, number>): void {
    const before = this.#blob("SELECT data FROM search_times WHERE xid = ? AND part = ?", [xid, part]);
    const length = Math.max(before?.length ?? 0, (Math.max(...changes.keys()) + 1) * TIME_BYTES);
    const data = Buffer.alloc(length);
    data.set(before ?? []);
    for (const [place, time] of changes) {
      data.writeDoubleLE(time, place * TIME_BYTES);
    }
    this.#prepare(
      "INSERT INTO search_times (xid, part, data) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data",
    ).run(xid, part, data);
  }

  #blob(sql: string, parameters: SqlValue[]): Uint8Array | null {
    const data = this.#prepare(sql).get(...parameters)?.["data"];
    return data instanceof Uint8Array ? data : null;
  }

  #of(xid: number): Buffered {
    let buffered = this.#buffered.get(xid);
    if (buffered === undefined) {
      buffered = { postings: new Map(), times: new Map(), totals: new Map() };
      this.#buffered.set(xid, buffered);
    }
    return buffered;
  }
}

function changesOf({ postings }: Buffered, term: Key, block: number): PostingChanges {
  let blocks = postings.get(term);
  if (blocks === undefined) {
    blocks = new Map();
    postings.set(term, blocks);
  }
  let changes = blocks.get(block);
  if (changes === undefined) {
    changes = { removed: new Set(), added: new Map() };
    blocks.set(block, changes);
  }
  return changes;
}

function remove({ removed, added }: PostingChanges, place: number): void {
  added.delete(place);
  removed.add(place);
}

function timesOf({ times }: Buffered, part: number): Map<number, number> {
  let changes = times.get(part);
  if (changes === undefined) {
    changes = new Map();
    times.set(part, changes);
  }
  return changes;
}

function totalsOf({ totals }: Buffered, block: number): BlockTotals {
  let change = totals.get(block);
  if (change === undefined) {
    change = { docs: 0, words: 0, maxTime: 0 };
    totals.set(block, change);
  }
  return change;
}
