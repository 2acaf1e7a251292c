import { describe, expect, it } from "vitest";
import { CursorCodec, queryFingerprint } from "./cursor";

const codec = new CursorCodec(Buffer.alloc(32, 1));
const query = queryFingerprint({ table: "messages" }, "", ["_creationTime"]);

describe("cursors", () => {
  it("lead back to where they were made", () => {
    for (const position of [{ after: "\x10a\0\x0d\xff" }, "end"] as const) {
      expect(codec.decode(codec.encode(position, query), query)).toEqual(position);
    }
  });

  it("of another query, component or index are refused, so that clients page anew", () => {
    const cursor = codec.encode("end", query);
    const others = [
      queryFingerprint({ table: "contacts" }, "", ["_creationTime"]),
      queryFingerprint({ table: "messages" }, "child", ["_creationTime"]),
      queryFingerprint({ table: "messages" }, "", ["name", "_creationTime"]),
    ];
    for (const other of others) {
      expect(() => codec.decode(cursor, other)).toThrow("InvalidCursor");
    }
  });

  it("that were changed by one bit, cut, made up or sealed with another key are refused", () => {
    const cursor = codec.encode({ after: "key" }, query);
    const bytes = Buffer.from(cursor, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => codec.decode(changed.toString("base64url"), query)).toThrow("InvalidCursor");
    }
    for (const other of ["", "x", cursor.slice(0, 20), "a".repeat(80)]) {
      expect(() => codec.decode(other, query)).toThrow("InvalidCursor");
    }
    expect(() => new CursorCodec(Buffer.alloc(32, 2)).decode(cursor, query)).toThrow("InvalidCursor");
  });
});
