import type { DocumentTerms, FilterCondition } from "../storage/search-terms";
import type { QueryTerms } from "./tokenize";

/** What a search looked at: every document that it could have found, now or later. */
export type SearchRead = {
  readonly xid: number;
  readonly terms: QueryTerms;
  readonly filters: readonly FilterCondition[];
};

/** Whether a search could find the document. */
export function finds(read: SearchRead, document: DocumentTerms): boolean {
  return passesFilters(read, document) && hasTerm(read.terms, document.counts);
}

export const passesFilters = (read: SearchRead, document: DocumentTerms): boolean =>
  read.filters.every(({ field, key }) => document.filters[field] === key);

function hasTerm({ exact, prefix }: QueryTerms, counts: ReadonlyMap<string, number>): boolean {
  if (exact.some((term) => counts.has(term))) {
    return true;
  }
  if (prefix !== null) {
    for (const term of counts.keys()) {
      if (term.startsWith(prefix)) {
        return true;
      }
    }
  }
  return false;
}
