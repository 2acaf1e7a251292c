/** Bytes as they arrive in one runtime or another: Convex gives an ArrayBuffer, Node and browsers a Uint8Array. */
export type Bytes = ArrayBuffer | Uint8Array;

const encoder = new TextEncoder();

/** The same bytes as a Uint8Array backed by a plain ArrayBuffer, which is the only kind that WebCrypto takes. */
export function plainBytes(bytes: Bytes | string): Uint8Array<ArrayBuffer> {
  if (typeof bytes === "string") return new Uint8Array(encoder.encode(bytes));
  return new Uint8Array(bytes);
}

/** UTF-8 text of the bytes. Ill-formed sequences become U+FFFD; never use the result for a signature. */
export function bytesToText(bytes: Bytes | string): string {
  if (typeof bytes === "string") return bytes;
  return new TextDecoder("utf-8").decode(bytes);
}

/** Lower-case hexadecimal of the bytes. */
export function toHex(bytes: Bytes): string {
  let hex = "";
  for (const byte of new Uint8Array(bytes)) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/** Bytes of a hexadecimal string of either case, or null when it is not one. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> | null {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) return null;
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Base64url without padding (RFC 4648 section 5). */
export function toBase64Url(bytes: Bytes): string {
  let binary = "";
  for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Bytes of base64url text without padding, or null when it is not in its one canonical form. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  return toBase64Url(bytes) === text ? bytes : null;
}

/**
 * Compares in a time that depends on the lengths only, so that an attacker learns nothing from how long it takes.
 * The loop always runs over the whole of `a`.
 */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
