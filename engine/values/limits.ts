/** Bounds on values and documents. Numbers are Convex's (docs "Limits", and its backend's value crate). */

/** Elements of one array. */
export const ARRAY_LENGTH_MAX = 8192;
/** Fields of one object. */
export const OBJECT_FIELDS_MAX = 1024;
/** Arrays and objects inside one another, in any value. */
export const VALUE_NESTING_MAX = 64;
/** The same, in a stored document; the document itself is the first level. */
export const DOCUMENT_NESTING_MAX = 16;
/** One document with its system fields, by `getConvexSize`. */
export const DOCUMENT_BYTES_MAX = 1024 * 1024;
/** Any other value: arguments and results are bounded more tightly by their callers. */
export const VALUE_BYTES_MAX = 32 * 1024 * 1024;
/** Characters of an object key inside a value. */
export const FIELD_NAME_LENGTH_MAX = 1024;
/** Characters of a top-level field name, a table name or an index name (docs "Limits"). */
export const IDENTIFIER_LENGTH_MAX = 64;
/** Fields of one index, without the `_creationTime` that is always added. */
export const INDEX_FIELDS_MAX = 16;
/** Indexes of one table (docs "Limits"; the backend's code allows twice as many). */
export const TABLE_INDEXES_MAX = 32;

/** Search indexes of one table (docs "Limits"). */
export const TABLE_SEARCH_INDEXES_MAX = 4;
/** Filter fields of one search index (docs "Limits"). */
export const SEARCH_FILTER_FIELDS_MAX = 16;

/** Bytes as Convex prints them in its messages: binary units, at most two decimals. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${Number(amount.toFixed(2))} ${units[unit]}`;
}
