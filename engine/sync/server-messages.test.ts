import { expect, test } from "vitest";
import { commonTs } from "./query-set";
import { chunkTransition, encodeQueryChange, encodeResult, encodeTransition } from "./server-messages";

const version = (ts: bigint) => ({ querySet: 1, identity: 0, ts });

test("a large transition is the same text after its parts are joined, also when a cut splits a surrogate pair", () => {
  const value = JSON.stringify(`${"x".repeat(2_500_000 - 200)}${"😀".repeat(2_000_000)}`);
  const change = encodeQueryChange(3, encodeResult({ ok: true, value }, []), null);
  const transition = encodeTransition(version(1n), version(2n), [change], null, 5);
  const parts = chunkTransition(transition, "7").map((part) => {
    const sent: unknown = JSON.parse(Buffer.from(part, "utf8").toString("utf8"));
    return sent as {
      type: string;
      chunk: string;
      partNumber: number;
      totalParts: number;
      transitionId: string;
    };
  });
  expect(parts.map((part) => part.partNumber)).toEqual(parts.map((_, n) => n));
  expect(new Set(parts.map((part) => part.totalParts))).toEqual(new Set([parts.length]));
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.map((part) => part.chunk).join("")).toBe(transition);
});

test("a small transition is sent whole", () => {
  const transition = encodeTransition(version(1n), version(2n), [], 12, 5);
  expect(chunkTransition(transition, "7")).toEqual([transition]);
  expect(JSON.parse(transition)).toMatchObject({
    type: "Transition",
    clientClockSkew: 12,
    serverTs: 5_000_000,
  });
});

const result = (ts: bigint, staleTs: bigint | null) => ({ text: "", journal: null, ts, staleTs });

test.each([
  ["no queries", [], 9n, 9n],
  ["only results that still hold", [result(3n, null), result(5n, null)], 9n, 9n],
  ["one that held until after the others began", [result(3n, 7n), result(5n, null)], 9n, 6n],
  ["one that ended before another began", [result(3n, 5n), result(5n, null)], 9n, -1n],
  ["a void one", [result(3n, 0n)], 9n, -1n],
])("the common time of %s", (_, results, latestTs, expected) => {
  expect(commonTs(results, latestTs)).toBe(expected);
});
