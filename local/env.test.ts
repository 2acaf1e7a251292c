import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { identityJwks, loadEnv } from "./env";
import { LocalError } from "./local-error";

const tempFile = (): string => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "pons-env-"));
  onTestFinished(() => fs.rmSync(dir, { recursive: true }));
  return path.join(dir, ".env.local");
};

describe("loadEnv", () => {
  test("makes each secret once: a second start reads what the first wrote", async () => {
    const file = tempFile();
    const first = await loadEnv({ generate: true, from: {}, file });
    const second = await loadEnv({ generate: true, from: {}, file });
    expect(second).toEqual(first);
    expect(first.BETTER_AUTH_SECRET).not.toBe(first.SETUP_TOKEN);
  });

  test("keeps a person's own lines and hides the file from others", async () => {
    const file = tempFile();
    fs.writeFileSync(file, "# mine\nPORT=4321\nSETUP_TOKEN=chosen\n", { mode: 0o600 });
    const env = await loadEnv({ generate: true, from: {}, file });
    expect(env.PORT).toBe(4321);
    expect(env.SETUP_TOKEN).toBe("chosen");
    expect(fs.readFileSync(file, "utf8")).toMatch(/^# mine\nPORT=4321\nSETUP_TOKEN=chosen\n/);
    expect(fs.statSync(file).mode & 0o077).toBe(0);
  });

  test("without leave to make secrets, names the first missing variable and what to do", async () => {
    await expect(loadEnv({ generate: false, from: {}, file: tempFile() })).rejects.toThrow(
      /^CONVEX_SELF_HOSTED_ADMIN_KEY is not set: run `npm run dev`/,
    );
  });

  test.each([
    ["PORT", "eighty"],
    ["PORT", "70000"],
    ["SITE_URL", "not a url"],
    ["META_GRAPH_VERSION", "25"],
  ])("refuses %s=%s with a sentence that names it", async (name, value) => {
    const refused = loadEnv({ generate: true, from: { [name]: value }, file: null });
    await expect(refused).rejects.toThrow(LocalError);
    await expect(refused).rejects.toThrow(new RegExp(`^${name} has a value that cannot be used`));
  });

  test("an empty line in the file counts as not set", async () => {
    const file = tempFile();
    fs.writeFileSync(file, "PORT=\nSITE_URL=\n");
    expect((await loadEnv({ generate: true, from: {}, file })).SITE_URL).toBe("http://localhost:3000");
  });

  test.each([
    [{}, true],
    [{ NEXT_PUBLIC_CONVEX_URL: "http://127.0.0.1:3210" }, true],
    [{ SITE_URL: "https://pons.example", NEXT_PUBLIC_CONVEX_URL: "https://pons.example:3210" }, true],
    [{ NEXT_PUBLIC_CONVEX_URL: "https://happy-otter-123.convex.cloud" }, false],
  ])("%j: an embedded engine is started: %s", async (from, embedded) => {
    expect((await loadEnv({ generate: true, from, file: null })).embedded).toBe(embedded);
  });

  test("the backend is given the public half of the identity key only", async () => {
    const env = await loadEnv({ generate: true, from: {}, file: null });
    const [key] = JSON.parse(identityJwks(env.CONVEX_IDENTITY_KEY)).keys;
    expect(key).toMatchObject({ kty: "EC", crv: "P-256", alg: "ES256", kid: expect.any(String) });
    expect(key).not.toHaveProperty("d");
  });
});
