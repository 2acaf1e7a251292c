import { createHash } from "node:crypto";
import { type DocumentTerms, haveSameWords, type SearchChange } from "../storage/search-terms";
import { parseStored } from "../transaction/document";
import { type SearchInfo, valueAt } from "../transaction/table";
import type { DocVersion } from "../transaction/write-log";
import type { JsonObject, JsonValue } from "../types";
import { encodeKey, type Key } from "../values/key";
import { tokenize } from "./tokenize";

/** Longer keys of filter values are replaced by their hash, so that an index holds no long values. */
const FILTER_KEY_LENGTH_MAX = 48;

/** The words of a document in a search index; null where its search field holds none, so that nothing can find it. */
export function documentTerms(search: SearchInfo, document: JsonObject): DocumentTerms | null {
  const text = valueAt(document, search.path);
  if (typeof text !== "string") {
    return null;
  }
  const terms = tokenize(text);
  if (terms.length === 0) {
    return null;
  }
  const counts = new Map<string, number>();
  for (const term of terms) {
    counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  const creationTime = document["_creationTime"];
  return {
    counts,
    length: terms.length,
    filters: search.filterPaths.map((path) => filterKey(valueAt(document, path))),
    creationTime: typeof creationTime === "number" ? creationTime : 0,
  };
}

/** Equal for equal values only; a missing field is `undefined`. */
export function filterKey(value: JsonValue | undefined): Key {
  const key = encodeKey(value);
  return key.length <= FILTER_KEY_LENGTH_MAX
    ? key
    : createHash("sha256").update(key, "latin1").digest().toString("latin1");
}

const known = new WeakMap<DocVersion, Map<number, DocumentTerms | null>>();

/** The same for a stored version. A version never changes, so that its words are looked for once. */
export function versionTerms(search: SearchInfo, version: DocVersion): DocumentTerms | null {
  let bySearch = known.get(version);
  if (bySearch === undefined) {
    bySearch = new Map();
    known.set(version, bySearch);
  }
  let terms = bySearch.get(search.xid);
  if (terms === undefined) {
    terms = documentTerms(search, parseStored(version.text));
    bySearch.set(search.xid, terms);
  }
  return terms;
}

/** Whether a search index sees no difference between two states of a document. */
const areSameTerms = (a: DocumentTerms, b: DocumentTerms): boolean =>
  haveSameWords(a, b) && a.filters.every((key, i) => key === b.filters[i]);

const NOTHING: readonly SearchChange[] = [];

/** What a write does to a document in search indexes; those that have it neither before nor after are left out. */
export function searchChanges(
  searches: readonly SearchInfo[],
  before: JsonObject | null,
  after: JsonObject | null,
): readonly SearchChange[] {
  return searches.length === 0
    ? NOTHING
    : searches.flatMap((search) => searchChange(search, before, after) ?? []);
}

function searchChange(
  search: SearchInfo,
  before: JsonObject | null,
  after: JsonObject | null,
): SearchChange | null {
  const old = before === null ? null : documentTerms(search, before);
  const next = after === null ? null : documentTerms(search, after);
  if (old === null && next === null) {
    return null;
  }
  const isSame = old !== null && next !== null && areSameTerms(old, next);
  return { xid: search.xid, old, next: isSame ? old : next };
}
