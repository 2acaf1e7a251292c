import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  API_KEY_RANDOM_BYTES,
  crc32,
  formatCallbackData,
  mintApiKey,
  parseApiKey,
  parseCallbackData,
} from "./ids";

const randomBytes = fc.uint8Array({ minLength: API_KEY_RANDOM_BYTES, maxLength: API_KEY_RANDOM_BYTES });

test("crc32 gives the check value of the standard", () => {
  expect(crc32("123456789")).toBe(0xcbf43926);
});

describe("API keys", () => {
  test("a minted key parses, has the documented form and tells its last four characters", () => {
    fc.assert(
      fc.property(fc.constantFrom("live" as const, "test" as const), randomBytes, (mode, bytes) => {
        fc.pre(bytes.filter((byte) => byte < 248).length >= 32);
        const key = mintApiKey(mode, bytes);
        expect(key.text).toMatch(/^pons_(live|test)_[0-9A-Za-z]{38}$/);
        expect(parseApiKey(key.text)).toEqual(key);
        expect(key.last4).toBe(key.text.slice(44));
      }),
    );
  });

  test("bytes that would make some characters likelier are left out", () => {
    const uneven = new Uint8Array(64).fill(255);
    uneven.fill(61, 32);
    expect(mintApiKey("test", uneven).text).toContain("z".repeat(32));
    expect(() => mintApiKey("test", uneven.subarray(0, 63))).toThrow(RangeError);
  });

  test("one changed character is noticed", () => {
    const { text } = mintApiKey(
      "live",
      new Uint8Array(64).map((_, index) => index * 3),
    );
    for (let at = "pons_live_".length; at < text.length; at++) {
      const other = text[at] === "a" ? "b" : "a";
      expect(parseApiKey(text.slice(0, at) + other + text.slice(at + 1))).toBeNull();
    }
  });

  test("a key of one mode is not one of the other", () => {
    const { text } = mintApiKey("live", new Uint8Array(64));
    expect(parseApiKey(text.replace("live", "test"))).toBeNull();
  });

  test.each(["", "pons_live_", "pons_prod_x", " ", "Bearer x"])("%j is no key", (text) => {
    expect(parseApiKey(text)).toBeNull();
  });
});

describe("callback data", () => {
  test("what is written can be read", () => {
    const data = { sendId: "k17abc_-Z", attempt: 3 };
    expect(formatCallbackData(data)).toBe("p1:k17abc_-Z:3");
    expect(parseCallbackData("p1:k17abc_-Z:3")).toEqual(data);
  });

  test.each([
    null,
    undefined,
    "",
    "order-7781",
    "p2:x:1",
    "p1:x",
    "p1:x:y",
    "p1::1",
    "p1:a b:1",
    `p1:${"x".repeat(129)}:1`,
  ])("%j was not written by us", (text) => expect(parseCallbackData(text)).toBeNull());
});
