import { compareValues, convexToJson, type Value } from "convex/values";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonValue } from "../types";
import { arbitraryValue } from "./arbitrary-values";
import { afterKey, afterPrefix, bytesToKey, encodeKey, encodeKeys, idOfKey, keyToBytes } from "./key";

const keyOf = (value: Value | undefined) => encodeKey(value === undefined ? undefined : convexToJson(value));
const hex = (value: JsonValue | undefined) => keyToBytes(encodeKey(value)).toString("hex");
const int64 = (n: bigint) => convexToJson(n);

/** Pairs of values, half of them chosen so that the key of one could be taken for the beginning of the other's. */
const neighbours = fc.oneof(
  fc.tuple(arbitraryValue(), arbitraryValue()),
  fc
    .constantFrom<Value[][]>(
      ["", "\0", "\0\0", "\0a"],
      ["a", "a\0", "a\0b", "ab"],
      [new ArrayBuffer(0), new ArrayBuffer(1), new ArrayBuffer(2)],
      [[], [null], ["a"], ["a\0"], ["a", null], [[]]],
      [{}, { "": null }, { "": {} }, { "": "a" }, { " ": null }, { a: 1 }, { a: {}, b: 1 }, { ab: 1 }],
      [[{}], [{ "": null }], [{}, null]],
    )
    .chain((family) => fc.tuple(fc.constantFrom(...family), fc.constantFrom(...family))),
);

describe("index keys", () => {
  it("sort as the values do, for every pair of types", () => {
    fc.assert(
      fc.property(fc.option(arbitraryValue(), { nil: undefined }), arbitraryValue(), (a, b) => {
        expect(Math.sign(Buffer.compare(keyToBytes(keyOf(a)), keyToBytes(keyOf(b))))).toBe(
          Math.sign(compareValues(a, b)),
        );
      }),
      { numRuns: 5000 },
    );
  });

  it("compare as strings exactly as their bytes do on disk", () => {
    fc.assert(
      fc.property(arbitraryValue(), arbitraryValue(), (a, b) => {
        const [left, right] = [keyOf(a), keyOf(b)];
        const asStrings = left < right ? -1 : left > right ? 1 : 0;
        expect(asStrings).toBe(Buffer.compare(keyToBytes(left), keyToBytes(right)));
        expect(bytesToKey(keyToBytes(left))).toBe(left);
      }),
    );
  });

  it("of several values sort by the first that differs", () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryValue(), { minLength: 2, maxLength: 2 }),
        fc.array(arbitraryValue(), { minLength: 2, maxLength: 2 }),
        (a, b) => {
          const [left, right] = [encodeKeys(a.map(convexToJson)), encodeKeys(b.map(convexToJson))];
          const wanted = compareValues(a[0], b[0]) || compareValues(a[1], b[1]);
          expect(left < right ? -1 : left > right ? 1 : 0).toBe(Math.sign(wanted));
        },
      ),
    );
  });

  it("followed by other keys sort as the values do, also where one value begins as the other", () => {
    fc.assert(
      fc.property(neighbours, fc.tuple(arbitraryValue(), arbitraryValue()), ([a, b], [c, d]) => {
        fc.pre(compareValues(a, b) < 0);
        expect(keyOf(a) + keyOf(c) < keyOf(b) + keyOf(d)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("have the tags and bodies of Convex's format", () => {
    expect(hex(undefined)).toBe("01");
    expect(hex(null)).toBe("03");
    expect(hex(int64(0n))).toBe("08");
    expect(hex(int64(5n))).toBe("0905");
    expect(hex(int64(-1n))).toBe("07ff");
    expect(hex(int64(300n))).toBe("0a012c");
    expect(hex(int64(-(2n ** 63n)))).toBe("048000000000000000");
    expect(hex(1)).toBe("0dbff0000000000000");
    expect(hex(-1)).toBe("0d400fffffffffffff");
    expect(hex(false)).toBe("0e");
    expect(hex(true)).toBe("0f");
    expect(hex("a\0é")).toBe("106100ffc3a900");
    expect(hex(convexToJson(new Uint8Array([0, 7]).buffer))).toBe("1100ff0700");
    expect(hex([null, "a"])).toBe("120310610000");
    expect(hex({ b: true, a: null })).toBe("156100036200".concat("0f00"));
  });
});

describe("bounds", () => {
  it("after a prefix stands between what begins with those values and what comes later", () => {
    const idKey = encodeKey("j57c8c0fj6xz9q04kasytd8sb67ypqaz");
    fc.assert(
      fc.property(neighbours, ([a, b]) => {
        const bound = afterPrefix(keyOf(a)) ?? "";
        expect(bound > keyOf(a) + idKey).toBe(true);
        fc.pre(compareValues(a, b) < 0);
        expect(bound < keyOf(b) + idKey).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(afterPrefix("")).toBe(null);
  });

  it("after a key leaves no room for another", () => {
    fc.assert(
      fc.property(arbitraryValue(), arbitraryValue(), (a, b) => {
        fc.pre(keyOf(b) > keyOf(a));
        expect(afterKey(keyOf(a)) <= keyOf(b)).toBe(true);
      }),
    );
  });

  it("gives back the id that ends a key, whatever stands before it", () => {
    fc.assert(
      fc.property(arbitraryValue(), (value) => {
        const id = "j57c8c0fj6xz9q04kasytd8sb67ypqaz";
        expect(idOfKey(encodeKeys([convexToJson(value), 1.5, id]))).toBe(id);
      }),
    );
  });
});
