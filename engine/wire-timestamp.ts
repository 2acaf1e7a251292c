import { developerError } from "./errors";
import type { Timestamp } from "./types";

const TIMESTAMP_BYTES = 8;

/** A timestamp as the clients carry it: the base64 of eight little-endian bytes. */
export function encodeTs(ts: Timestamp): string {
  const bytes = Buffer.alloc(TIMESTAMP_BYTES);
  bytes.writeBigUInt64LE(ts);
  return bytes.toString("base64");
}

/** Reads what `encodeTs` wrote. Throws a developer error `BadTimestamp` on anything else. */
export function decodeTs(text: string): Timestamp {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length !== TIMESTAMP_BYTES) {
    throw developerError("BadTimestamp", "A timestamp must be the base64 of eight bytes.");
  }
  return bytes.readBigUInt64LE();
}
