import type { Key } from "../values/key";

/** What a search index knows of one document. */
export type DocumentTerms = {
  /** How often each word occurs. */
  readonly counts: ReadonlyMap<string, number>;
  /** Words in all. */
  readonly length: number;
  /** A key for the value of each filter field, in the order of the index. */
  readonly filters: readonly Key[];
  readonly creationTime: number;
};

/**
 * What one commit does to a document in one search index; null where the document has no words in it. The same object
 * on both sides says that the index does not change, though the document does.
 */
export type SearchChange = {
  readonly xid: number;
  readonly old: DocumentTerms | null;
  readonly next: DocumentTerms | null;
};

/** One equality of a search: the field's place in the index's list, and the key of the value. */
export type FilterCondition = { readonly field: number; readonly key: Key };

/** Whether two states of a document have the same words, each as often. */
export const haveSameWords = (a: DocumentTerms, b: DocumentTerms): boolean =>
  a.length === b.length &&
  a.counts.size === b.counts.size &&
  [...a.counts].every(([term, count]) => b.counts.get(term) === count);
