import type { JsonObject, JsonValue } from "../types";
import { int64Of, kindOf } from "./encoded";

/**
 * An index key: bytes, held as a string with one byte per character. Such strings compare with `<` as the bytes do,
 * join with `+`, and serve as keys of a Map, all faster than a Buffer.
 *
 * The encoding keeps the order of values (`compareValues` of `convex/values`), marks where each value ends, and is
 * Convex's own (its `value` crate): a tag, then a body that sorts as bytes.
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

/** The smallest key above every key that starts with `prefix`; null where there is none. */
export function afterPrefix(prefix: Key): Key | null {
  for (let end = prefix.length; end > 0; end -= 1) {
    const last = prefix.charCodeAt(end - 1);
    if (last < 0xff) {
      return prefix.slice(0, end - 1) + String.fromCharCode(last + 1);
    }
  }
  return null;
}

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
      return OBJECT + fields.map((name) => name + END + encodeKey(value[name])).join("") + END;
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
  bytes.includes(END) ? bytes.replaceAll(END, "\0\xff") : bytes;
