import type { Value } from "convex/values";
import fc from "fast-check";

/** Convex values of every type, small, with the edges of each: what property tests draw from. */
export function arbitraryValue(): fc.Arbitrary<Value> {
  const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constant(null),
      fc.boolean(),
      fc.double(),
      fc.constantFrom(
        0,
        -0,
        1,
        -1,
        Number.MAX_SAFE_INTEGER,
        Number.MIN_VALUE,
        Infinity,
        -Infinity,
        Number.NaN,
      ),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constantFrom(
        0n,
        1n,
        -1n,
        127n,
        128n,
        -128n,
        -129n,
        32_767n,
        32_768n,
        -32_769n,
        2n ** 31n,
        -(2n ** 31n) - 1n,
      ),
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom("", "a", "a\0", "a\0b", "ab", "\uffff", "\u{10000}", "é"),
      fc.uint8Array({ maxLength: 5 }).map((bytes) => new Uint8Array(bytes).buffer),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("a", "b", "ab", "c d", "Z", "_"), tie("value"), { maxKeys: 3 }),
    ),
  }));
  return value;
}
