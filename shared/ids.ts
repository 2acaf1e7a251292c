/**
 * API keys: `pons_live_` or `pons_test_`, 32 random base62 characters (190 bits) and 6 base62 characters of the CRC32
 * of everything before. The checksum lets us, and secret scanners, drop look-alikes without asking a database.
 */
export type ApiKeyMode = "live" | "test";

export interface ApiKey {
  readonly mode: ApiKeyMode;
  /** The whole key, as it is shown once. */
  readonly text: string;
  /** The last four characters, which may be stored and shown. */
  readonly last4: string;
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_CHARACTERS = 32;
const CHECKSUM_CHARACTERS = 6;
const KEY_FORM = /^pons_(live|test)_[0-9A-Za-z]{38}$/;

/** Bytes below this map evenly on 62 characters; the others are thrown away so that no character is likelier. */
const EVEN_BYTE_END = 248;

/** Random bytes to give to `mintApiKey`: twice what it needs on average, so that rejection never runs dry in practice. */
export const API_KEY_RANDOM_BYTES = 64;

/** The parsed key, or null when the text is not a key or its checksum is wrong. */
export function parseApiKey(text: string): ApiKey | null {
  const mode = KEY_FORM.exec(text)?.[1];
  if (mode !== "live" && mode !== "test") return null;
  if (text.slice(-CHECKSUM_CHARACTERS) !== checksum(text.slice(0, -CHECKSUM_CHARACTERS))) return null;
  return { mode, text, last4: text.slice(-4) };
}

/**
 * A new key from cryptographically random bytes, which the caller brings because only it knows where true randomness
 * is. Throws a RangeError when fewer than 32 of the bytes are usable.
 */
export function mintApiKey(mode: ApiKeyMode, randomBytes: Uint8Array): ApiKey {
  let secret = "";
  for (const byte of randomBytes) {
    if (secret.length === SECRET_CHARACTERS) break;
    if (byte < EVEN_BYTE_END) secret += BASE62.charAt(byte % BASE62.length);
  }
  if (secret.length < SECRET_CHARACTERS) {
    throw new RangeError(
      `An API key needs ${SECRET_CHARACTERS} usable random bytes; ${secret.length} were given.`,
    );
  }
  const start = `pons_${mode}_${secret}`;
  const text = start + checksum(start);
  return { mode, text, last4: text.slice(-4) };
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let i = 0; i < CHECKSUM_CHARACTERS; i++) {
    digits = BASE62.charAt(rest % BASE62.length) + digits;
    rest = Math.floor(rest / BASE62.length);
  }
  return digits;
}

/** CRC-32 (IEEE 802.3) of the ASCII text. */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++) {
    crc ^= text.charCodeAt(i) & 0xff;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** What a send writes into `biz_opaque_callback_data`, which Meta echoes in each of its statuses. */
export interface CallbackData {
  readonly sendId: string;
  readonly attempt: number;
}

const CALLBACK_FORM = /^p1:([A-Za-z0-9_-]{1,128}):(\d{1,4})$/;

/** `p1:<send id>:<attempt>`; the prefix names the format, so that a later one can be told apart. */
export function formatCallbackData({ sendId, attempt }: CallbackData): string {
  return `p1:${sendId}:${attempt}`;
}

/** The send that a status belongs to, or null when the callback data was not written by us. */
export function parseCallbackData(text: string | null | undefined): CallbackData | null {
  const match = typeof text === "string" ? CALLBACK_FORM.exec(text) : null;
  const [, sendId, attempt] = match ?? [];
  return sendId === undefined || attempt === undefined ? null : { sendId, attempt: Number(attempt) };
}
