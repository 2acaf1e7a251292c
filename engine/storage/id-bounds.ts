import type { Key } from "../values/key";

/** One end of a range of ids, compared as texts. */
export type IdBound = { readonly id: string; readonly inclusive: boolean };

/** Tag of strings in index keys (`values/key.ts`). */
const STRING_TAG = "\x10";

/**
 * A range of keys of the index by id, as a range of ids: rows of that index are not stored, the table itself is asked.
 * The ids of one table are equally long texts of digits and lower-case letters, so that only the part of a bound that
 * can touch such a text matters. Answers null where no id can be inside; a null end is open.
 */
export function idBounds(interval: {
  readonly start: Key;
  readonly end: Key | null;
}): { lower: IdBound | null; upper: IdBound | null } | null {
  const start = boundAt(interval.start);
  const end = interval.end === null ? "above" : boundAt(interval.end);
  if (start === "above" || end === "below") {
    return null;
  }
  return {
    lower: start === "below" ? null : start,
    upper: end === "above" ? null : { id: end.id, inclusive: !end.inclusive },
  };
}

/** The ids whose keys are at or above `key`: all (`below`), none (`above`), or those from a bound on. */
function boundAt(key: Key): IdBound | "below" | "above" {
  if (key <= STRING_TAG) {
    return "below";
  }
  if (!key.startsWith(STRING_TAG)) {
    return "above";
  }
  const text = key.slice(1);
  const nul = text.indexOf("\0");
  if (nul < 0) {
    return { id: text, inclusive: true };
  }
  // `id` + NUL is the key of `id` itself; anything longer is above it but below the next id.
  return { id: text.slice(0, nul), inclusive: nul === text.length - 1 };
}
