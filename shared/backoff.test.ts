import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs, NOT_SENT_BACKOFF, PAIR_LIMIT_BACKOFF } from "./backoff";

test("the plain waits are those that the limits advise", () => {
  expect([1, 2, 3, 4, 5].map((n) => backoffMs(NOT_SENT_BACKOFF, n))).toEqual([1000, 2000, 4000, 8000, 8000]);
  expect([1, 2, 3].map((n) => backoffMs(PAIR_LIMIT_BACKOFF, n))).toEqual([1000, 4000, 16_000]);
});

test("a wait is spread by at most a fifth and never exceeds its bound by more", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true }), (repetition, spread) => {
      const plain = backoffMs(NOT_SENT_BACKOFF, repetition);
      const spreadOut = backoffMs(NOT_SENT_BACKOFF, repetition, spread);
      expect(spreadOut).toBeGreaterThanOrEqual(plain * 0.8 - 1);
      expect(spreadOut).toBeLessThanOrEqual(NOT_SENT_BACKOFF.maxMs * 1.2);
    }),
  );
});
