import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness } from "../../tests/support/functions-harness";
import { ManualClock } from "../../tests/support/manual-clock";

type Look = {
  calls: number;
  now: number;
  random: number[];
  uuid: string;
  bytes: number[];
  hidden: string[];
  process: string[];
  env: string;
  urls: string[];
  isDate: boolean;
  timeStandsStill: boolean;
  zone: number;
};

const clock = new ManualClock();
let harness: Harness;
const look = async () => (await harness.query("world:look")) as Look;
const bytes = (data: ArrayBuffer | Uint8Array) => ({
  $bytes: Buffer.from(new Uint8Array(data)).toString("base64"),
});

beforeAll(async () => {
  harness = await Harness.deployed({ clock });
});
afterAll(() => harness.discard());

describe("the world of a query", () => {
  test("time stands still for a whole call and is the engine's clock", async () => {
    const seen = await look();
    expect(seen).toMatchObject({ timeStandsStill: true, isDate: true, zone: 0, now: clock.nowMs() });
  });

  test("random values are seeded anew for each call", async () => {
    const [first, second] = [await look(), await look()];
    expect(first.random[0]).not.toBe(first.random[1]);
    expect(second.random).not.toEqual(first.random);
    expect(first.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(second.bytes).not.toEqual(first.bytes);
  });

  test("has no trace of Node, and of process only the environment", async () => {
    expect(await look()).toMatchObject({
      hidden: [],
      process: ["env"],
      env: "hello",
      urls: ["http://127.0.0.1:3210", "http://127.0.0.1:3211"],
    });
  });

  test("with fresh isolation no state of a module survives a call", async () => {
    expect([(await look()).calls, (await look()).calls]).toEqual([1, 1]);
  });

  test("nothing from outside leads out of the realm", async () => {
    expect(await harness.query("world:breakOut")).toEqual([]);
  });

  test("only a query that asks for the time ages", async () => {
    const run = (path: string) =>
      harness.functions.query({ path, args: {}, identity: { kind: "none" }, requestId: "1" });
    expect((await run("world:look")).usedClock).toBe(true);
    expect((await run("world:still")).usedClock).toBe(false);
  });

  test.each([
    ["fetch", "Can't use fetch() in queries and mutations. Please consider using an action."],
    ["setTimeout", "Can't use setTimeout in queries and mutations. Please consider using an action."],
    ["generateKey", "Can't use cryptographic randomness in queries and mutations."],
    ["eval", "Code generation from strings disallowed for this context"],
  ])("%s is refused in Convex's words", async (what, text) => {
    await expect(harness.query("world:refused", { what })).rejects.toThrow(text);
  });

  test("the web's classes behave as in a browser", async () => {
    expect(await harness.query("world:platform")).toEqual({
      url: "https://example.com/a/b?x=1&y=a+b&z=%C3%BC+%26#h",
      y: "a b",
      bad: false,
      header: "1, 2",
      status: 201,
      body: { ok: true },
      request: "POST",
      utf8: "grüße 👋 \ufffd",
      base64: ["aGVsbG8=", "hello"],
      clone: 5,
      blob: "abc",
    });
  });
});

/** A clock that, once told to, gives the same bytes every time: every call gets the same seed. */
class RepeatingClock extends ManualClock {
  repeats = false;
  override randomBytes(length: number): Uint8Array {
    return this.repeats ? new Uint8Array(length).fill(7) : super.randomBytes(length);
  }
}

test("the same seed at the same moment gives the same result, byte for byte", async () => {
  const repeating = new RepeatingClock();
  const own = await Harness.deployed({ clock: repeating }, { "crons.ts": null });
  repeating.repeats = true;
  const first = await own.query("world:look");
  for (let n = 0; n < 300; n++) await own.query("world:still");
  expect(await own.query("world:look")).toEqual(first);
  await own.discard();
});

describe("Web Crypto in a query", () => {
  test("digests and HMACs are those of Node, and verification tells good from bad", async () => {
    const data = new TextEncoder().encode("grüße");
    const key = await crypto.subtle.importKey(
      "raw",
      new TextEncoder().encode("key"),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    expect(await harness.query("world:digests", { text: "grüße" })).toEqual({
      isBuffer: true,
      digest: bytes(await crypto.subtle.digest("SHA-256", data)),
      signature: bytes(await crypto.subtle.sign("HMAC", key, data)),
      good: true,
      bad: false,
    });
  });

  test("AES-GCM opens what another runtime sealed, and refuses what was changed", async () => {
    const raw = crypto.getRandomValues(new Uint8Array(32));
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
    const sealed = new Uint8Array(
      await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode("the secret")),
    );
    const args = { key: bytes(raw), iv: bytes(iv), sealed: bytes(sealed) };
    expect(await harness.query("world:open", args)).toBe("the secret");
    sealed[0] = (sealed[0] ?? 0) ^ 1;
    await expect(harness.query("world:open", { ...args, sealed: bytes(sealed) })).rejects.toThrow(
      "The operation failed",
    );
  });

  test("an ES256 signature is verified with a JWK", async () => {
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const data = new TextEncoder().encode("signed");
    const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, data);
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const args = { jwk: { kty, crv, x, y } as never, signature: bytes(signature), data: bytes(data) };
    expect(await harness.query("world:verifyEcdsa", args)).toBe(true);
    expect(await harness.query("world:verifyEcdsa", { ...args, data: bytes(new Uint8Array(3)) })).toBe(false);
  });
});

describe("reused realms", () => {
  test("are handed on when a call ended cleanly, and thrown away when it did not", async () => {
    const reusing = await Harness.deployed({ isolation: "reuse" });
    const count = async () => ((await reusing.query("world:look")) as Look).calls;
    expect(await count()).toBe(1);
    expect(await count()).toBe(2);
    await expect(reusing.mutation("world:fail", { how: "never" })).rejects.toThrow("never resolve");
    expect(await count()).toBe(1);
    await reusing.discard();
  });
});
