import { beforeAll, describe, expect, test } from "vitest";
import { openSecret, parseSecretsKeys, type SecretsKey, sealSecret } from "./sealed";

const value = (fill: number) => Buffer.alloc(32, fill).toString("base64url");
const keysOf = (text: string): readonly SecretsKey[] => {
  const parsed = parseSecretsKeys(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.keys;
};
const place = { purpose: "accounts.accessToken", rowId: "row1" };
const iv = new Uint8Array(12).fill(9);

describe("SECRETS_KEYS", () => {
  test("names each key, the first of which seals", () => {
    expect(keysOf(`k2:${value(2)}, k1:${value(1)}`).map(({ kid }) => kid)).toEqual(["k2", "k1"]);
  });

  test.each([
    "",
    "k1",
    `k1:${value(1).slice(1)}`,
    `k1:${value(1)}=`,
    "k1:secret",
    `k 1:${value(1)}`,
    `k1:${value(1)},k1:${value(2)}`,
  ])("%j is refused with a sentence that shows no key", (text) => {
    const parsed = parseSecretsKeys(text);
    expect(parsed).toHaveProperty("problem");
    expect(JSON.stringify(parsed)).not.toContain(value(1));
  });
});

describe("a sealed secret", () => {
  const keys = keysOf(`k1:${value(1)}`);
  let sealed = "";
  beforeAll(async () => {
    sealed = await sealSecret(keys, place, "EAAGm0… token 😀", iv);
  });

  test("opens at its place and shows nothing of the secret", async () => {
    expect(await openSecret(keys, place, sealed)).toEqual({
      ok: true,
      secret: "EAAGm0… token 😀",
      stale: false,
    });
    expect(sealed).toMatch(/^v1\.k1\.[\w-]{16}\.[\w-]+$/);
    expect(sealed).not.toContain("EAAG");
  });

  test.each([
    ["another row", { ...place, rowId: "row2" }],
    ["another field", { ...place, purpose: "accounts.appSecret" }],
  ])("does not open in %s", async (_, elsewhere) => {
    expect(await openSecret(keys, elsewhere, sealed)).toEqual({ ok: false, reason: "not_authentic" });
  });

  test("does not open when any character of it is changed", async () => {
    for (let at = "v1.k1.".length; at < sealed.length; at++) {
      if (sealed[at] === ".") continue;
      const changed = sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1);
      expect(await openSecret(keys, place, changed)).toHaveProperty("ok", false);
    }
  });

  test("opens with an older key and says that it is stale", async () => {
    const rotated = keysOf(`k2:${value(2)},k1:${value(1)}`);
    expect(await openSecret(rotated, place, sealed)).toMatchObject({ ok: true, stale: true });
  });

  test("says when its key is not known, also when another key has its name", async () => {
    expect(await openSecret(keysOf(`k2:${value(2)}`), place, sealed)).toEqual({
      ok: false,
      reason: "unknown_key",
    });
    expect(await openSecret(keysOf(`k1:${value(2)}`), place, sealed)).toEqual({
      ok: false,
      reason: "not_authentic",
    });
  });

  test.each(["", "v1", "v2.k1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA", "plain text"])(
    "%j is malformed",
    async (text) => {
      expect(await openSecret(keys, place, text)).toEqual({ ok: false, reason: "malformed" });
    },
  );

  test("cannot be made without a key or with an iv of another length", async () => {
    await expect(sealSecret([], place, "x", iv)).rejects.toThrow(RangeError);
    await expect(sealSecret(keys, place, "x", iv.subarray(1))).rejects.toThrow(RangeError);
  });
});
