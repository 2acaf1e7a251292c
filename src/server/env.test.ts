import { describe, expect, it } from "vitest";
import { EnvError, parseEnv } from "./env";

const KEY = JSON.stringify({ kty: "EC", crv: "P-256", x: "x", y: "y", d: "d", kid: "k1" });

const COMPLETE = {
  BETTER_AUTH_SECRET: "0123456789abcdef0123456789abcdef",
  CONVEX_IDENTITY_KEY: KEY,
  API_KEY_PEPPER: "k2:new, k1:old",
};

const complaint = (change: Record<string, string | undefined>): string => {
  try {
    parseEnv({ ...COMPLETE, ...change });
  } catch (error) {
    if (error instanceof EnvError) return error.message;
    throw error;
  }
  return "none";
};

describe("the environment", () => {
  it("needs only the secrets; the rest has defaults for the own machine", () => {
    expect(parseEnv(COMPLETE)).toMatchObject({
      SITE_URL: "http://localhost:3000",
      NEXT_PUBLIC_CONVEX_URL: "http://127.0.0.1:3210",
      CONVEX_SITE_URL: "http://127.0.0.1:3211",
      API_KEY_PEPPER: [
        { kid: "k2", value: "new" },
        { kid: "k1", value: "old" },
      ],
    });
  });

  it("counts an empty value as absent and keeps the origin of an address only", () => {
    expect(parseEnv({ ...COMPLETE, SITE_URL: "", SETUP_TOKEN: "" })).not.toHaveProperty("SETUP_TOKEN");
    expect(parseEnv({ ...COMPLETE, SITE_URL: "https://pons.example/" }).SITE_URL).toBe(
      "https://pons.example",
    );
  });

  it("names every broken variable in a sentence of its own, without its value", () => {
    const text = complaint({
      BETTER_AUTH_SECRET: "hunter2",
      CONVEX_IDENTITY_KEY: undefined,
      API_KEY_PEPPER: "hunter2",
    });
    expect(text.split("\n")).toEqual([
      expect.stringMatching(/^BETTER_AUTH_SECRET must have at least 32 characters: /),
      expect.stringMatching(/^CONVEX_IDENTITY_KEY is missing: /),
      expect.stringMatching(/^API_KEY_PEPPER must be kid:value/),
    ]);
    expect(text).not.toContain("hunter2");
  });

  it("allows plain http on the own machine only", () => {
    for (const site of [
      "http://localhost:3000",
      "http://127.0.0.1:80",
      "http://[::1]:3000",
      "https://pons.example",
    ]) {
      expect(complaint({ SITE_URL: site }), site).toBe("none");
    }
    for (const site of ["http://pons.example", "http://192.168.0.2:3000", "http://localhost.evil.example"]) {
      expect(complaint({ SITE_URL: site }), site).toMatch(/^SITE_URL must be https/);
    }
  });

  it("refuses what is no address, no private key and no header name", () => {
    expect(complaint({ NEXT_PUBLIC_CONVEX_URL: "ftp://x" })).toMatch(
      /^NEXT_PUBLIC_CONVEX_URL must be an http/,
    );
    expect(complaint({ CONVEX_IDENTITY_KEY: "{" })).toMatch(/^CONVEX_IDENTITY_KEY must be a JSON Web Key/);
    expect(complaint({ CONVEX_IDENTITY_KEY: JSON.stringify({ ...JSON.parse(KEY), d: undefined }) })).toMatch(
      /^CONVEX_IDENTITY_KEY /,
    );
    expect(complaint({ TRUSTED_IP_HEADER: "x real ip" })).toMatch(/^TRUSTED_IP_HEADER must be the name/);
  });
});
