import type { Key } from "../values/key";

/** Creation times are stored in parts of this many rows, eight bytes each. */
export const TIMES_SIZE = 256;
export const TIME_BYTES = 8;

/** A word as it is stored: UTF-8 after a byte that tells words from filter values. */
const WORD_TAG = "w";
const FILTER_TAG = "f";

export const wordTerm = (word: string): Key => WORD_TAG + Buffer.from(word, "utf8").toString("latin1");
export const wordOfTerm = (term: Key): string => Buffer.from(term.slice(1), "latin1").toString("utf8");
/** The value of a filter field, by the field's place in the index's list. */
export const filterTerm = (field: number, key: Key): Key => FILTER_TAG + String.fromCharCode(field) + key;
