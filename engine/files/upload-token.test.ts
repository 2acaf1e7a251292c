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
  expect(restarted.componentOf(token)).toBe("");
  clock.nowAtMs += HOUR_MS - 1;
  expect(restarted.componentOf(token)).toBe("");
  clock.nowAtMs += 1;
  expect(restarted.componentOf(token)).toBeNull();
});

test("a token that was changed or made with another key is refused", () => {
  const tokens = createUploadTokens("key", clockFrom(1_800_000_000_000));
  const token = tokens.issue();
  expect(tokens.issue()).not.toBe(token);
  const [expiry = "", nonce, owner, signature] = token.split(".");
  const elsewhere = Buffer.from("diary").toString("base64url");
  const later = (Number.parseInt(expiry, 36) + HOUR_MS).toString(36);
  const forgeries = [
    ...["", "..", "...", token.slice(1), `${token}.x`],
    `${later}.${nonce}.${owner}.${signature}`,
    `${expiry}.${nonce}.${elsewhere}.${signature}`,
  ];
  for (const forged of forgeries) expect(tokens.componentOf(forged)).toBeNull();
  expect(createUploadTokens("other", clockFrom(1_800_000_000_000)).componentOf(token)).toBeNull();
});

test("a token names the component that the file will belong to", () => {
  const tokens = createUploadTokens("key", clockFrom(1_800_000_000_000));
  expect(tokens.componentOf(tokens.issue("notebook/counter"))).toBe("notebook/counter");
});
