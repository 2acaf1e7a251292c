import { bytesOf } from "./globals";

const REPLACEMENT = 0xfffd;

/** UTF-8 only, as the standard says. */
export class RealmTextEncoder {
  readonly encoding = "utf-8";

  encode(input = ""): Uint8Array<ArrayBuffer> {
    const text = String(input);
    const bytes = new Uint8Array(text.length * 3);
    const { written } = this.encodeInto(text, bytes);
    return bytes.slice(0, written);
  }

  encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
    let read = 0;
    let written = 0;
    while (read < text.length) {
      let code = text.charCodeAt(read);
      let units = 1;
      if (code >= 0xd800 && code <= 0xdfff) {
        const low = text.charCodeAt(read + 1);
        if (code < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          units = 2;
        } else {
          code = REPLACEMENT;
        }
      }
      const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      if (written + size > target.length) break;
      if (size === 1) {
        target[written] = code;
      } else {
        for (let i = size - 1; i > 0; i--) {
          target[written + i] = 0x80 | (code & 0x3f);
          code >>= 6;
        }
        target[written] = [0, 0, 0xc0, 0xe0, 0xf0][size] ?? 0;
        target[written] = (target[written] ?? 0) | code;
      }
      read += units;
      written += size;
    }
    return { read, written };
  }
}

const LABELS: { [label: string]: "utf-8" | "utf-16le" | "windows-1252" } = {
  "unicode-1-1-utf-8": "utf-8",
  utf8: "utf-8",
  "utf-8": "utf-8",
  "utf-16": "utf-16le",
  "utf-16le": "utf-16le",
  ascii: "windows-1252",
  latin1: "windows-1252",
  "iso-8859-1": "windows-1252",
  "us-ascii": "windows-1252",
  "windows-1252": "windows-1252",
};

/** Windows-1252 differs from Latin-1 in these 32 places only. */
const WINDOWS_1252_80 =
  "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f" +
  "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

export class RealmTextDecoder {
  readonly encoding: "utf-8" | "utf-16le" | "windows-1252";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  #rest = new Uint8Array(0);
  #bomSeen = false;

  constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const encoding = LABELS[String(label).trim().toLowerCase()];
    if (encoding === undefined) throw new RangeError(`The "${label}" encoding is not supported`);
    this.encoding = encoding;
    this.fatal = options.fatal === true;
    this.ignoreBOM = options.ignoreBOM === true;
  }

  decode(input?: ArrayBuffer | ArrayBufferView, options: { stream?: boolean } = {}): string {
    const stream = options.stream === true;
    const added = input === undefined ? new Uint8Array(0) : bytesOf(input);
    const bytes = new Uint8Array(this.#rest.length + added.length);
    bytes.set(this.#rest);
    bytes.set(added, this.#rest.length);
    this.#rest = new Uint8Array(0);
    const text =
      this.encoding === "utf-8"
        ? this.#utf8(bytes, stream)
        : this.encoding === "utf-16le"
          ? this.#utf16(bytes, stream)
          : fromCodes(bytes, (byte) =>
              byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252_80.charCodeAt(byte - 0x80) : byte,
            );
    const clean = this.#bomSeen || this.ignoreBOM || text.charCodeAt(0) !== 0xfeff ? text : text.slice(1);
    this.#bomSeen = stream && (this.#bomSeen || text.length > 0);
    return clean;
  }

  #broken(): number {
    if (this.fatal) throw new TypeError("The encoded data was not valid for encoding utf-8");
    return REPLACEMENT;
  }

  #utf8(bytes: Uint8Array, stream: boolean): string {
    const parts: string[] = [];
    let units: number[] = [];
    let i = 0;
    while (i < bytes.length) {
      const first = bytes[i] ?? 0;
      let code = first;
      let size = 1;
      if (first >= 0x80) {
        const length =
          first >= 0xc2 && first <= 0xdf
            ? 2
            : first >= 0xe0 && first <= 0xef
              ? 3
              : first >= 0xf0 && first <= 0xf4
                ? 4
                : 0;
        code = length === 0 ? REPLACEMENT : first & (0x7f >> length);
        while (size < length) {
          const next = bytes[i + size];
          if (next === undefined && stream) {
            this.#rest = bytes.slice(i);
            parts.push(String.fromCharCode(...units));
            return parts.join("");
          }
          if (next === undefined || next < lowestSecond(first, size) || next > highestSecond(first, size))
            break;
          code = (code << 6) | (next & 0x3f);
          size++;
        }
        if (size !== length) code = this.#broken();
      }
      if (code >= 0x10000) {
        units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
      } else {
        units.push(code);
      }
      i += size;
      if (units.length > 4_000) {
        parts.push(String.fromCharCode(...units));
        units = [];
      }
    }
    parts.push(String.fromCharCode(...units));
    return parts.join("");
  }

  #utf16(bytes: Uint8Array, stream: boolean): string {
    const even = bytes.length - (bytes.length % 2);
    const units = new Uint8Array(even / 2);
    const text = fromCodes(units, (_, n) => (bytes[n * 2] ?? 0) | ((bytes[n * 2 + 1] ?? 0) << 8));
    if (even === bytes.length) return text;
    if (stream) {
      this.#rest = bytes.slice(even);
      return text;
    }
    return text + String.fromCharCode(this.#broken());
  }
}

/** Second bytes are narrower after E0, ED, F0 and F4: no overlong forms, no surrogates, nothing above U+10FFFF. */
const lowestSecond = (first: number, n: number): number =>
  n > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
const highestSecond = (first: number, n: number): number =>
  n > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;

function fromCodes(bytes: Uint8Array, code: (byte: number, index: number) => number): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(code(bytes[i] ?? 0, i));
  return text;
}
