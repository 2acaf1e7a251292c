import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { developerError } from "../errors";
import type { JsonValue } from "../types";
import type { Key } from "./key";

/** Where a page of a query ended: after an index key, or at the very end. */
export type Position = { after: Key } | "end";

const FINGERPRINT_BYTES = 16;
const MAC_BYTES = 16;
const END_MARK = 0;
const AFTER_MARK = 1;

/**
 * Cursors as clients hold them: opaque and authenticated, so that nobody can walk an index from a place that no query
 * gave out, and bound to one query over one index.
 */
export class CursorCodec {
  readonly #key: Uint8Array;

  /** @param key secret of the data directory, 32 bytes */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  encode(position: Position, fingerprint: Buffer): string {
    const body =
      position === "end"
        ? Buffer.concat([fingerprint, Buffer.of(END_MARK)])
        : Buffer.concat([fingerprint, Buffer.of(AFTER_MARK), Buffer.from(position.after, "latin1")]);
    return Buffer.concat([this.#mac(body), body]).toString("base64url");
  }

  /** Throws a developer error `InvalidCursor` where the cursor is damaged, foreign or another query's. */
  decode(cursor: string, fingerprint: Buffer): Position {
    const bytes = Buffer.from(cursor, "base64url");
    const body = bytes.subarray(MAC_BYTES);
    const isOurs =
      bytes.length > MAC_BYTES + FINGERPRINT_BYTES &&
      timingSafeEqual(bytes.subarray(0, MAC_BYTES), this.#mac(body));
    if (!isOurs) {
      throw developerError("InvalidCursor", `InvalidCursor: Failed to parse cursor: ${cursor.slice(0, 64)}`);
    }
    if (!body.subarray(0, FINGERPRINT_BYTES).equals(fingerprint)) {
      throw developerError(
        "InvalidCursor",
        "InvalidCursor: Tried to run a query starting from a cursor, but it looks like this cursor is from a different query.",
      );
    }
    const mark = body[FINGERPRINT_BYTES];
    return mark === END_MARK ? "end" : { after: body.subarray(FINGERPRINT_BYTES + 1).toString("latin1") };
  }

  #mac(body: Buffer): Buffer {
    return createHmac("sha256", this.#key).update(body).digest().subarray(0, MAC_BYTES);
  }
}

/** Names one query over one index: a cursor of another must not be used with it. */
export function queryFingerprint(
  query: JsonValue,
  component: string,
  indexFields: readonly string[],
): Buffer {
  return createHash("sha256")
    .update(JSON.stringify([query, component, indexFields]))
    .digest()
    .subarray(0, FINGERPRINT_BYTES);
}
