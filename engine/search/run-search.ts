import type { ScanSource } from "../query/scan";
import { wordTerm } from "../storage/search-layout";
import type { WordFrequency } from "../storage/search-reader";
import type { DocumentTerms } from "../storage/search-terms";
import type { SearchInfo, TableInfo } from "../transaction/table";
import type { DocVersion } from "../transaction/write-log";
import { encodeKey, encodeKeys, type Key } from "../values/key";
import { bestRows } from "./best-rows";
import { versionTerms } from "./document-terms";
import { lengthNorms, scoreOf, type WeighedWord, type WeighedWords, wordWeight } from "./scoring";
import { passesFilters, type SearchRead } from "./search-reads";

/** Words that the last word of a search may stand for; those after them in the order of bytes are not looked for. */
const PREFIX_WORDS_MAX = 16;
/** A word that only begins as was asked counts half (Convex's). */
const PREFIX_BOOST = 0.5;

/** A document that a search found; its key gives the order of results: best first, then newest. */
export type Hit = { readonly key: Key; readonly id: string };

/** The best `limit` documents of a search, as the snapshot and the transaction's own writes have them. */
export function runSearch(
  source: ScanSource,
  table: TableInfo,
  search: SearchInfo,
  read: SearchRead,
  limit: number,
): Hit[] {
  const { search: reader } = source.snapshot.store;
  const layer = layerOver(source, table, search);
  const blocks = reader.blocks(search.xid);
  let documents = layer.shown.length - layer.hidden.length;
  let words = 0;
  for (const block of blocks.values()) {
    documents += block.docs;
    words += block.words;
  }
  for (const { terms } of layer.shown) {
    words += terms.length;
  }
  for (const terms of layer.hidden) {
    words -= terms.length;
  }
  const weighed = weigh(
    read,
    documents,
    (word) => reader.frequency(search.xid, word) + layer.extra(word),
    wordsFrom(reader.wordsFrom(search.xid, read.terms.prefix ?? ""), layer, read),
  );
  if (weighed.exact.length + weighed.begun.length === 0) {
    return [];
  }
  const norms = lengthNorms(documents, words);
  const stored = bestRows(reader, blocks, {
    xid: search.xid,
    words: weighed,
    filters: read.filters,
    norms,
    hidden: layer.hiddenRows,
    limit,
  });
  const hits: Hit[] = [];
  for (const { rid, score, time } of stored) {
    const id = reader.idOf(rid);
    if (id !== null) {
      hits.push({ key: hitKey(score, time, id), id });
    }
  }
  for (const { id, terms } of layer.shown) {
    const score = passesFilters(read, terms) ? scoreOf(terms, weighed, norms) : 0;
    if (score > 0) {
      hits.push({ key: hitKey(score, terms.creationTime, id), id });
    }
  }
  return hits.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit);
}

const hitKey = (score: number, time: number, id: string): Key => encodeKeys([-score, -time]) + encodeKey(id);

/** Documents that are not as the index on disk has them: older versions of the snapshot, and own writes. */
type Layer = {
  readonly shown: readonly { readonly id: string; readonly terms: DocumentTerms }[];
  /** What the index has of documents that are hidden or replaced. */
  readonly hidden: readonly DocumentTerms[];
  readonly hiddenRows: ReadonlySet<number>;
  /** By how much the number of documents with a word differs from that on disk. */
  extra(word: string): number;
};

function layerOver(source: ScanSource, table: TableInfo, search: SearchInfo): Layer {
  const versions = new Map<string, DocVersion | null>();
  for (const layer of [source.snapshot.overlayOf(table), source.ownWrites()]) {
    for (const [id, { version }] of layer?.rows() ?? []) {
      versions.set(id, version);
    }
  }
  const shown: { id: string; terms: DocumentTerms }[] = [];
  const hidden: DocumentTerms[] = [];
  const hiddenRows = new Set<number>();
  for (const [id, version] of versions) {
    const terms = version === null ? null : versionTerms(search, version);
    if (terms !== null) {
      shown.push({ id, terms });
    }
    const stored = source.snapshot.store.get(table.tid, id);
    const storedTerms = stored === null ? null : versionTerms(search, stored);
    if (stored !== null && storedTerms !== null) {
      hidden.push(storedTerms);
      hiddenRows.add(stored.rid);
    }
  }
  const has = (word: string) => (terms: DocumentTerms) => terms.counts.has(word);
  return {
    shown,
    hidden,
    hiddenRows,
    extra: (word) =>
      shown.map(({ terms }) => terms).filter(has(word)).length - hidden.filter(has(word)).length,
  };
}

/** The words that begin with the prefix, of both the index and the layer, in the order of their bytes. */
function* wordsFrom(
  stored: Iterator<WordFrequency>,
  layer: Layer,
  read: SearchRead,
): Generator<WordFrequency> {
  const { prefix } = read.terms;
  if (prefix === null) {
    return;
  }
  const own = new Set<string>();
  for (const { terms } of layer.shown) {
    for (const word of terms.counts.keys()) {
      if (word.startsWith(prefix)) {
        own.add(word);
      }
    }
  }
  const withLayer = ({ word, frequency }: WordFrequency) => ({
    word,
    frequency: frequency + layer.extra(word),
  });
  const ownInOrder = [...own].sort((a, b) => (wordTerm(a) < wordTerm(b) ? -1 : 1));
  let next = stored.next();
  for (const word of ownInOrder) {
    while (next.done !== true && wordTerm(next.value.word) < wordTerm(word)) {
      yield withLayer(next.value);
      next = stored.next();
    }
    const isStored = next.done !== true && next.value.word === word;
    yield withLayer(next.done !== true && isStored ? next.value : { word, frequency: 0 });
    if (isStored) {
      next = stored.next();
    }
  }
  while (next.done !== true) {
    yield withLayer(next.value);
    next = stored.next();
  }
}

/** The words that the search stands for and what each weighs. */
function weigh(
  read: SearchRead,
  documents: number,
  frequencyOf: (word: string) => number,
  candidates: Iterable<WordFrequency>,
): WeighedWords {
  const weighed = (word: string, frequency: number, boost: number): WeighedWord => ({
    word,
    frequency,
    weight: wordWeight(frequency, documents, boost),
  });
  const exact = read.terms.exact
    .map((word) => weighed(word, frequencyOf(word), 1))
    .filter(({ frequency }) => frequency > 0)
    .sort((a, b) => a.frequency - b.frequency || (a.word < b.word ? -1 : 1));
  const begun: WeighedWord[] = [];
  const isExact = new Set(read.terms.exact);
  let left = PREFIX_WORDS_MAX;
  for (const { word, frequency } of candidates) {
    if (frequency <= 0) {
      continue;
    }
    if (!isExact.has(word)) {
      begun.push(weighed(word, frequency, word === read.terms.prefix ? 1 : PREFIX_BOOST));
    }
    left -= 1;
    if (left === 0) {
      break;
    }
  }
  return { exact, begun };
}
