import { expect, test } from "vitest";
import type { Clock } from "../clock";
import { createUploadTokens } from "./upload-token";

const HOUR_MS = 3_600_000;

function clockFrom(nowMs: number): Clock & { nowAtMs: number } {
  let n = 0;
  const clock = {
    nowAtMs: nowMs,
    nowMs: () => clock.nowAtMs,
    setTimer: () => () => undefined,
    randomBytes: (length: number) => new Uint8Array(length).fill(n++),
  };
  return clock;
}

test("an upload token is good for an hour, also after a restart", () => {
  const clock = clockFrom(1_800_000_000_000);
  const token = createUploadTokens("key", clock).issue();
  const restarted = createUploadTokens("key", clock);
  expect(restarted.accepts(token)).toBe(true);
  clock.nowAtMs += HOUR_MS - 1;
  expect(restarted.accepts(token)).toBe(true);
  clock.nowAtMs += 1;
  expect(restarted.accepts(token)).toBe(false);
});

test("a token that was changed or made with another key is refused", () => {
  const tokens = createUploadTokens("key", clockFrom(1_800_000_000_000));
  const token = tokens.issue();
  expect(tokens.issue()).not.toBe(token);
  const [expiry = "", nonce, signature] = token.split(".");
  const later = (Number.parseInt(expiry, 36) + HOUR_MS).toString(36);
  for (const forged of ["", "..", token.slice(1), `${later}.${nonce}.${signature}`, `${token}.x`]) {
    expect(tokens.accepts(forged)).toBe(false);
  }
  expect(createUploadTokens("other", clockFrom(1_800_000_000_000)).accepts(token)).toBe(false);
});
