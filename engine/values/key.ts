import type { JsonObject, JsonValue } from "../types";
import { int64Of, kindOf } from "./encoded";

/**
 * An index key: bytes, held as a string with one byte per character. Such strings compare with `<` as the bytes do,
 * join with `+`, and serve as keys of a Map, all faster than a Buffer.
 *
 * The encoding keeps the order of values (`compareValues` of `convex/values`), marks where each value ends, and is
 * Convex's own (its `value` crate): a tag, then a body that sorts as bytes. Two corners differ, where that one confuses
 * values: an empty field name is spelled, and a range for "a" does not hold "a\0".
 */
export type Key = string;

const UNDEFINED = "\x01";
const NULL = "\x03";
/** Distance of an integer's tag from this one is the length class of its body; below it for negative numbers. */
const INT64_ZERO_TAG = 0x08;
const FLOAT64 = "\x0d";
const FALSE = "\x0e";
const TRUE = "\x0f";
const STRING = "\x10";
const BYTES = "\x11";
const ARRAY = "\x12";
const OBJECT = "\x15";
const END = "\0";
/** Follows a NUL that belongs to a string, and not to its end. */
const ESCAPED = "\xff";
/**
 * Stands for the empty field name, which Convex allows inside values: with nothing in its place the field would look
 * like the end of the object. It is below every character of a name and above the end.
 */
const EMPTY_NAME = "\x01";

/** The key of one value; `undefined` is a missing field and sorts first. */
export function encodeKey(value: JsonValue | undefined): Key {
  if (typeof value === "string") {
    return STRING + escapeBytes(utf8(value)) + END;
  }
  if (typeof value === "number") {
    scratch.writeDoubleBE(value);
    return FLOAT64 + floatBody();
  }
  if (value === undefined) {
    return UNDEFINED;
  }
  if (value === null) {
    return NULL;
  }
  if (typeof value === "boolean") {
    return value ? TRUE : FALSE;
  }
  if (Array.isArray(value)) {
    return ARRAY + value.map(encodeKey).join("") + END;
  }
  return encodeObjectKey(value);
}

/** The key of several values, one after the other. */
export const encodeKeys = (values: readonly (JsonValue | undefined)[]): Key => values.map(encodeKey).join("");

/**
 * A key above every key whose first values are the ones that `prefix` is the key of, and below every other key above
 * them; null where `prefix` is empty and nothing is above. What follows a whole value is the tag of the next one, the
 * end of an array or object, or nothing. The byte that marks an escaped NUL is larger than all of these: where it
 * follows, the string went on ("a\0" begins as "a" does).
 */
export const afterPrefix = (prefix: Key): Key | null => (prefix === "" ? null : prefix + ESCAPED);

/** The smallest key above `key` itself. */
export const afterKey = (key: Key): Key => key + END;

export const keyToBytes = (key: Key): Buffer => Buffer.from(key, "latin1");
export const bytesToKey = (bytes: Uint8Array): Key =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");

/** Keys of an index end with the key of the document's id: where that begins. Ids hold no byte to escape. */
export const idOfKey = (key: Key): string => key.slice(key.lastIndexOf(STRING) + 1, -1);

function encodeObjectKey(value: JsonObject): Key {
  switch (kindOf(value)) {
    case "int64":
      return int64Key(int64Of(value));
    case "float64":
      Buffer.from(String(value["$float"]), "base64").copy(scratch);
      scratch.reverse();
      return FLOAT64 + floatBody();
    case "bytes":
      return BYTES + escapeBytes(Buffer.from(String(value["$bytes"]), "base64").toString("latin1")) + END;
    case "commitTs":
      // Not known before the commit; until then it counts as the largest integer.
      return int64Key(2n ** 63n - 1n);
    default: {
      const fields = Object.keys(value).sort();
      return (
        OBJECT + fields.map((name) => (name || EMPTY_NAME) + END + encodeKey(value[name])).join("") + END
      );
    }
  }
}

/** Eight bytes to turn numbers into keys; used and read before anything else can run. */
const scratch = Buffer.alloc(8);

/** IEEE total order: a negative number has all bits flipped, any other only the sign. Reads `scratch`, big endian. */
function floatBody(): string {
  const first = scratch[0] ?? 0;
  if (first < 0x80) {
    scratch[0] = first | 0x80;
  } else {
    for (let i = 0; i < 8; i += 1) {
      scratch[i] = ~(scratch[i] ?? 0);
    }
  }
  return scratch.toString("latin1");
}

function int64Key(n: bigint): Key {
  if (n === 0n) {
    return String.fromCharCode(INT64_ZERO_TAG);
  }
  const lengthClass = [8, 16, 32, 64].findIndex((bits) => n === BigInt.asIntN(bits, n)) + 1;
  const tag = INT64_ZERO_TAG + (n < 0n ? -lengthClass : lengthClass);
  scratch.writeBigInt64BE(n);
  return String.fromCharCode(tag) + scratch.toString("latin1", 8 - 2 ** (lengthClass - 1));
}

const NOT_ASCII = /[^\0-\x7f]/;
const utf8 = (text: string): string =>
  NOT_ASCII.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text;

const escapeBytes = (bytes: string): string =>
  bytes.includes(END) ? bytes.replaceAll(END, END + ESCAPED) : bytes;
