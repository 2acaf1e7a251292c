import { expect, test } from "vitest";
import { believableTimeMs, FUTURE_TOLERANCE_MS, metaTimestamp, metaTimestampMs } from "./time";

test.each([
  ["1749416383", 1_749_416_383_000],
  [1_749_416_383, 1_749_416_383_000],
  ["1749416383.9", 1_749_416_383_000],
  ["1749416383123", 1_749_416_383_123],
  [0, undefined],
  ["0", undefined],
  [-5, undefined],
  ["-5", undefined],
  ["", undefined],
  ["soon", undefined],
  ["0x10", undefined],
  ["1e9", undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  ["9999999999999999", undefined],
  [null, undefined],
  [{}, undefined],
  [["1"], undefined],
])("Meta's timestamp %j is %j", (value, expected) => {
  expect(metaTimestampMs(value)).toBe(expected);
});

test("a time is written in whole seconds, as a string", () => {
  expect(metaTimestamp(1_749_416_383_999)).toBe("1749416383");
});

test("a sender's clock is believed up to the tolerance", () => {
  const now = 1_000_000_000_000;
  expect(believableTimeMs(now - 5, now)).toBe(now - 5);
  expect(believableTimeMs(now + FUTURE_TOLERANCE_MS, now)).toBe(now + FUTURE_TOLERANCE_MS);
  expect(believableTimeMs(now + 86_400_000, now)).toBe(now + FUTURE_TOLERANCE_MS);
});
