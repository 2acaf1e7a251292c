import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { appSecretProof, CANDIDATE_SECRETS_MAX, matchingSecret, parseSignatureHeader } from "./signature";

const bytes = (text: string) => new TextEncoder().encode(text);

/**
 * Made with openssl, so that our own code does not vouch for itself:
 *   printf '%s' BODY | openssl dgst -sha256 -hmac SECRET
 * and for the binary one, whose secret is "gelöst" in UTF-8:
 *   printf '\xff\xfe\x00\x80' | openssl dgst -sha256 -mac HMAC -macopt hexkey:67656cc3b67374
 */
const vectors = [
  {
    name: "raw UTF-8 with an emoji",
    secret: "test_app_secret",
    body: bytes('{"id":"evt_1","type":"message.inbound.received","payload":{"text":"héllo 😀"}}'),
    hex: "0ad0b3589f0114b6f074b370b8b600b58948415024e8dd8cc760eb012b744398",
  },
  {
    name: "a body escaped as Meta escapes",
    secret: "test_app_secret",
    body: bytes('{"text":"caf\\u00e9 \\ud83d\\ude00 \\/"}'),
    hex: "8ceec92e436b3c74e592759e73328d0f36aa2e7b844e69892759834cb8f18a46",
  },
  {
    name: "an empty body",
    secret: "test_app_secret",
    body: bytes(""),
    hex: "517bc4c7d1d8d400868e0ad6f64b77098b818a2f2595004253a1922302a602c0",
  },
  {
    name: "bytes that are no text, under a secret that is not ASCII",
    secret: "gelöst",
    body: Uint8Array.of(0xff, 0xfe, 0x00, 0x80),
    hex: "eedeff8f58faf0fc32aaf29d9c06ab7f981eaaa59af96e7c945e48873e8a6b30",
  },
];

describe.each(vectors)("openssl's signature of $name", ({ secret, body, hex }) => {
  test("is recognised, whatever kind of bytes holds body and secret", async () => {
    expect(await matchingSecret(body, `sha256=${hex}`, [secret])).toBe(0);
    expect(await matchingSecret(body.buffer.slice(0), `sha256=${hex}`, [bytes(secret)])).toBe(0);
    expect(await matchingSecret(body, `sha256=${hex.toUpperCase()}`, [secret])).toBe(0);
  });

  test("is not recognised for one more byte, another secret, or one changed digit", async () => {
    const changed = hex.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    expect(await matchingSecret(Uint8Array.of(...body, 0x20), `sha256=${hex}`, [secret])).toBeNull();
    expect(await matchingSecret(body, `sha256=${hex}`, [`${secret}x`])).toBeNull();
    expect(await matchingSecret(body, `sha256=${changed}`, [secret])).toBeNull();
  });
});

const [plain] = vectors;
const good = `sha256=${plain?.hex}`;
const body = plain?.body ?? new Uint8Array();

test("a view into a larger buffer is verified by its own bytes only", async () => {
  const around = new Uint8Array(body.length + 20).fill(7);
  around.set(body, 10);
  expect(await matchingSecret(around.subarray(10, 10 + body.length), good, ["test_app_secret"])).toBe(0);
});

test("the index tells which of the candidates signed", async () => {
  expect(await matchingSecret(body, good, ["other", "", "test_app_secret", "test_app_secret"])).toBe(2);
});

test("an empty secret never signs anything", async () => {
  expect(await matchingSecret(body, good, ["", new Uint8Array(0)])).toBeNull();
});

test("candidates beyond the limit are not tried", async () => {
  const others = Array.from({ length: CANDIDATE_SECRETS_MAX }, (_, n) => `other-${n}`);
  expect(await matchingSecret(body, good, [...others, "test_app_secret"])).toBeNull();
});

test.each([
  ["missing", null],
  ["undefined", undefined],
  ["empty", ""],
  ["without its prefix", plain?.hex],
  ["of the old kind", `sha1=${plain?.hex.slice(0, 40)}`],
  ["one digit short", good.slice(0, -1)],
  ["one digit long", `${good}0`],
  ["with a digit that is none", `${good.slice(0, -1)}g`],
  ["with a blank before it", ` ${good}`],
  ["with a line end behind it", `${good}\n`],
  ["sent twice", `${good}, ${good}`],
  ["with an upper-case prefix", good.replace("sha256", "SHA256")],
])("a header that is %s is refused", async (_, header) => {
  expect(parseSignatureHeader(header)).toBeNull();
  expect(await matchingSecret(body, header, ["test_app_secret"])).toBeNull();
});

test("no header and no bytes make it throw or match", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string(),
      fc.uint8Array(),
      fc.array(fc.string(), { maxLength: 6 }),
      async (header, data, secrets) => {
        expect(await matchingSecret(data, header, secrets)).toBeNull();
      },
    ),
  );
});

test("the proof of an access token equals openssl's", async () => {
  // printf '%s' sim-access-token | openssl dgst -sha256 -hmac sim-app-secret
  expect(await appSecretProof("sim-app-secret", "sim-access-token")).toBe(
    "d31e7648db0fefbc98a03f93c23b3aaa3ac5274b0b6b86d7040089f564f67c14",
  );
});
