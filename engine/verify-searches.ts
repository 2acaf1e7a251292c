import { documentTerms } from "./search/document-terms";
import { BLOCK_SIZE, lengthCode, POSTING_BYTES, placeAt } from "./storage/postings";
import { filterTerm, wordTerm } from "./storage/search-layout";
import type { DocumentTerms } from "./storage/search-terms";
import type { Store } from "./storage/store";
import type { SearchInfo, TableInfo } from "./transaction/table";
import type { JsonObject } from "./types";
import type { Key } from "./values/key";

/** The postings of one block as its documents want them: for each term the places, each with what is noted of it. */
type Block = { readonly places: Map<Key, Map<number, string>>; docs: number; words: number };

const COUNT_MAX = 255;

/** Compares the complete search indexes of a table with its documents, which come in the order of their rows. */
export class SearchVerifier {
  readonly #store: Store;
  readonly #name: string;
  readonly #searches: readonly SearchInfo[];
  /** Being gathered, by index. */
  readonly #blocks = new Map<number, Block>();
  readonly #seen = new Map<number, Set<number>>();
  #block = -1;
  readonly problems: string[] = [];

  constructor(store: Store, table: TableInfo, name: string) {
    this.#store = store;
    this.#name = name;
    const unready = table.unready.flatMap(({ index }) => (index.kind === "search" ? [index] : []));
    this.#searches = [...table.searches.values(), ...unready].filter(
      ({ xid }) => store.builtTo(xid) === null,
    );
  }

  document(rid: number, document: JsonObject): void {
    const block = Math.floor(rid / BLOCK_SIZE);
    if (block !== this.#block) {
      this.#compare();
      this.#block = block;
    }
    for (const search of this.#searches) {
      const terms = documentTerms(search, document);
      if (terms !== null) this.#gather(search.xid, rid % BLOCK_SIZE, terms);
    }
  }

  /** To be called after the last document. */
  finish(): void {
    this.#compare();
    for (const { xid, name } of this.#searches) {
      for (const [block, { docs }] of this.#store.search.blocks(xid)) {
        if (docs !== 0 && this.#seen.get(xid)?.has(block) !== true) {
          this.problems.push(
            `Search index ${this.#name}.${name} counts documents in block ${block}, where there are none.`,
          );
        }
      }
    }
  }

  #gather(xid: number, place: number, terms: DocumentTerms): void {
    let block = this.#blocks.get(xid);
    if (block === undefined) {
      block = { places: new Map(), docs: 0, words: 0 };
      this.#blocks.set(xid, block);
    }
    block.docs += 1;
    block.words += terms.length;
    const code = lengthCode(terms.length);
    for (const [word, count] of terms.counts) {
      note(block, wordTerm(word), place, `${Math.min(count, COUNT_MAX)} ${code}`);
    }
    for (const [field, key] of terms.filters.entries()) {
      note(block, filterTerm(field, key), place, "1 0");
    }
  }

  #compare(): void {
    for (const { xid, name } of this.#block < 0 ? [] : this.#searches) {
      const right = this.#blocks.get(xid) ?? { places: new Map(), docs: 0, words: 0 };
      const seen = this.#seen.get(xid) ?? new Set();
      this.#seen.set(xid, seen.add(this.#block));
      const problem = this.#difference(xid, right);
      if (problem !== null) {
        this.problems.push(`Search index ${this.#name}.${name}, block ${this.#block}: ${problem}.`);
      }
    }
    this.#blocks.clear();
  }

  #difference(xid: number, right: Block): string | null {
    const totals = this.#store.search.blocks(xid).get(this.#block);
    if ((totals?.docs ?? 0) !== right.docs || (totals?.words ?? 0) !== right.words) {
      return `it counts ${totals?.docs ?? 0} documents with ${totals?.words ?? 0} words instead of ${right.docs} with ${right.words}`;
    }
    let terms = 0;
    for (const { term, data } of this.#store.search.blockPostings(xid, this.#block)) {
      terms += 1;
      const places = right.places.get(term);
      if (places === undefined || places.size !== data.length / POSTING_BYTES) {
        return "a word stands in it that its documents do not have as often";
      }
      for (let at = 0; at < data.length; at += POSTING_BYTES) {
        if (places.get(placeAt(data, at)) !== `${data[at + 2]} ${data[at + 3]}`) {
          return "a word is noted for a document that has it otherwise";
        }
      }
    }
    return terms === right.places.size ? null : "a word of its documents is missing";
  }
}

function note({ places }: Block, term: Key, place: number, value: string): void {
  let ofTerm = places.get(term);
  if (ofTerm === undefined) {
    ofTerm = new Map();
    places.set(term, ofTerm);
  }
  ofTerm.set(place, value);
}
