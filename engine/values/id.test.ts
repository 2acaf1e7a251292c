import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeIdFault, encodeId, tableNumberOf } from "./id";

const sixteenBytes = fc.uint8Array({ minLength: 16, maxLength: 16 });

/** The 16 bytes before the checksum, decoded without the code under test. */
function randomPartOf(id: string): Uint8Array {
  const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  const bits = [...id].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
  const bytes = Array.from({ length: Math.floor(bits.length / 8) }, (_, i) =>
    Number.parseInt(bits.slice(i * 8, i * 8 + 8), 2),
  );
  return Uint8Array.from(bytes.slice(-18, -2));
}

describe("document ids", () => {
  it("are those of Convex for the same table number and bytes", () => {
    const bytes = new Uint8Array(16);
    bytes[0] = 251;
    for (let i = 1; i < 16; i += 1) {
      bytes[i] = ((bytes[i - 1] ?? 0) * 251) & 0xff;
    }
    expect(encodeId(1017, bytes)).toBe("z43zp6c3e75gkmz1kfwj6mbbx5sw281h");
  });

  it("tell their table, for every table number and all bytes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 - 1 }), sixteenBytes, (tableNumber, bytes) => {
        expect(tableNumberOf(encodeId(tableNumber, bytes))).toBe(tableNumber);
      }),
      { numRuns: 2000 },
    );
  });

  it("have one length per table, so that their order is the order of their texts", () => {
    expect(encodeId(1, new Uint8Array(16))).toHaveLength(31);
    expect(encodeId(10_001, new Uint8Array(16))).toHaveLength(32);
    expect(encodeId(20_000, new Uint8Array(16))).toHaveLength(34);
  });

  it("are decoded only from what encoding writes", () => {
    const texts = fc.string({
      unit: fc.constantFrom(..."0123456789abcdefghjkmnpqrstvwxyz"),
      minLength: 31,
      maxLength: 37,
    });
    const nearIds = fc
      .tuple(sixteenBytes, fc.nat(31), fc.constantFrom(..."0123456789abcdefghjkmnpqrstvwxyz"))
      .map(([bytes, at, other]) => {
        const id = encodeId(10_001, bytes);
        return id.slice(0, at) + other + id.slice(at + 1);
      });
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(texts, nearIds), (text) => {
        const tableNumber = tableNumberOf(text);
        if (tableNumber === null) {
          refused += 1;
        } else {
          expect(encodeId(tableNumber, randomPartOf(text))).toBe(text);
        }
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(1500);
  });

  it("are refused in any spelling but their own", () => {
    const id = encodeId(10_001, new Uint8Array(16).fill(7));
    for (const other of [
      id.toUpperCase(),
      `${id}0`,
      id.slice(1),
      ` ${id}`,
      id.replace("7", "l"),
      "",
      "not an id",
    ]) {
      expect(tableNumberOf(other)).toBe(null);
    }
    expect(tableNumberOf(encodeId(1, new Uint8Array(16)))).toBe(1);
    expect(tableNumberOf("0".repeat(32))).toBe(null);
  });

  it("say what is wrong with them", () => {
    expect(describeIdFault("abc")).toBe("Unable to decode ID: Invalid ID length 3");
    expect(describeIdFault("U".repeat(32))).toBe("Unable to decode ID: ID wasn't valid base32");
  });
});
