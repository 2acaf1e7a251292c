/**
 * Document ids in Convex's format: base32 of `VInt(table number) | 16 random bytes | checksum`, where the checksum is
 * Fletcher-16 (modulus 256) of what precedes it, little endian. Decoding accepts only what encoding writes.
 */

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const RANDOM_BYTES = 16;
const CHECKSUM_BYTES = 2;
/** A 32-bit table number takes one to five bytes, which makes ids of 31 to 37 characters. */
const LENGTH_MIN = 31;
const LENGTH_MAX = 37;

const VALUE_OF: readonly number[] = Array.from({ length: 128 }, (_, code) =>
  ALPHABET.indexOf(String.fromCharCode(code)),
);

/** The id of a row of table `tableNumber` (1 to 2^32-1) made of 16 random bytes. */
export function encodeId(tableNumber: number, random: Uint8Array): string {
  const bytes: number[] = [];
  let rest = tableNumber;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest, ...random.subarray(0, RANDOM_BYTES));
  const [low, high] = fletcher16(bytes, bytes.length);
  bytes.push(low, high);
  return base32(bytes);
}

/** The table number in `id`; null where `id` is not an id that `encodeId` could have written. */
export function tableNumberOf(id: string): number | null {
  if (id.length < LENGTH_MIN || id.length > LENGTH_MAX) {
    return null;
  }
  const bytes = unbase32(id);
  if (bytes === null) {
    return null;
  }
  const vintBytes = bytes.length - RANDOM_BYTES - CHECKSUM_BYTES;
  let tableNumber = 0;
  for (let i = 0; i < vintBytes; i += 1) {
    const byte = bytes[i] ?? 0;
    const isLast = i === vintBytes - 1;
    // All but the last byte carry the continuation bit, and a last byte of zero would be a second spelling.
    if (byte >= 0x80 === isLast || (isLast && byte === 0)) {
      return null;
    }
    tableNumber += (byte & 0x7f) * 2 ** (7 * i);
  }
  const [low, high] = fletcher16(bytes, bytes.length - CHECKSUM_BYTES);
  const matches = bytes[bytes.length - 2] === low && bytes[bytes.length - 1] === high;
  return matches && tableNumber < 2 ** 32 ? tableNumber : null;
}

function fletcher16(bytes: readonly number[], length: number): [low: number, high: number] {
  let low = 0;
  let high = 0;
  for (let i = 0; i < length; i += 1) {
    low = (low + (bytes[i] ?? 0)) & 0xff;
    high = (high + low) & 0xff;
  }
  return [low, high];
}

function base32(bytes: readonly number[]): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}

function unbase32(text: string): number[] | null {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length; i += 1) {
    const value = VALUE_OF[text.charCodeAt(i)] ?? -1;
    if (value < 0) {
      return null;
    }
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push(held >> bits);
      held &= (1 << bits) - 1;
    }
  }
  // What is left over is padding: less than one character of it, all zero.
  return bits < 5 && held === 0 && bytes.length > RANDOM_BYTES + CHECKSUM_BYTES ? bytes : null;
}

/** Why `tableNumberOf` refused an id, in the words that Convex uses. */
export function describeIdFault(id: string): string {
  if (id.length < LENGTH_MIN || id.length > LENGTH_MAX) {
    return `Unable to decode ID: Invalid ID length ${id.length}`;
  }
  const isBase32 = [...id].every((character) => ALPHABET.includes(character));
  return isBase32
    ? "Unable to decode ID: Invalid ID version or checksum"
    : "Unable to decode ID: ID wasn't valid base32";
}
