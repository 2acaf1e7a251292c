import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Clock } from "../clock";
import type { AuthProvider } from "../types";
import { type Authenticator, createAuthenticator } from "./authenticator";

const NOW_MS = Date.UTC(2026, 0, 15, 12);
const NOW_SECONDS = NOW_MS / 1000;
const ISSUER = "https://issuer.example";
const ADMIN_KEY = "dev|0123456789abcdef";

type Key = { kid: string; privateKey: CryptoKey; publicJwk: JWK };

let first: Key;
let second: Key;

async function makeKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig" } };
}

const sign = (claims: JWTPayload, key = first): Promise<string> =>
  new SignJWT({ iss: ISSUER, sub: "ann", exp: NOW_SECONDS + 60, ...claims })
    .setProtectedHeader({ alg: "ES256", kid: key.kid })
    .sign(key.privateKey);

const dataUrl = (keys: Key[]): string =>
  `data:application/json;base64,${Buffer.from(JSON.stringify({ keys: keys.map((key) => key.publicJwk) })).toString("base64")}`;

const clockAt = (time: { nowMs: number }): Clock => ({
  nowMs: () => time.nowMs,
  setTimer: () => () => undefined,
  randomBytes: (length) => new Uint8Array(length),
});

function authenticator(provider: Partial<Extract<AuthProvider, { type: "customJwt" }>> = {}): Authenticator {
  const providers: AuthProvider[] = [
    { type: "customJwt", issuer: ISSUER, jwks: dataUrl([first]), algorithm: "ES256", ...provider },
  ];
  return createAuthenticator({
    adminKey: ADMIN_KEY,
    providers: () => providers,
    clock: clockAt({ nowMs: NOW_MS }),
    fetch: () => Promise.reject(new Error("a data: URL needs no network")),
  });
}

beforeAll(async () => {
  [first, second] = await Promise.all([makeKey("one"), makeKey("two")]);
});

describe("a bearer token", () => {
  test("becomes an identity with raw claim names, nested ones flattened and registered ones left out", async () => {
    const token = await sign({
      email_verified: true,
      name: "Ann",
      org: { id: 7, plan: { tier: "pro" } },
      roles: ["a", "b"],
      tokenIdentifier: "forged",
      iat: NOW_SECONDS,
      jti: "x",
      fva: [1, 2],
    });
    expect(await authenticator().identify(`Bearer ${token}`)).toEqual({
      kind: "user",
      token,
      expiresAtMs: NOW_MS + 60_000,
      attributes: {
        tokenIdentifier: `${ISSUER}|ann`,
        subject: "ann",
        issuer: ISSUER,
        email_verified: true,
        name: "Ann",
        "org.id": 7,
        "org.plan.tier": "pro",
        roles: ["a", "b"],
      },
    });
  });

  test("is accepted five seconds after its expiry and refused after six", async () => {
    const late = await sign({ exp: NOW_SECONDS - 4 });
    const tooLate = await sign({ exp: NOW_SECONDS - 6 });
    await expect(authenticator().user(late)).resolves.toMatchObject({ kind: "user" });
    await expect(authenticator().user(tooLate)).rejects.toMatchObject({
      kind: "unauthorized",
      message: "Could not validate token: Token expired",
    });
  });

  test.each([
    ["another issuer", { iss: "https://other.example" }, {}, /No auth provider found/],
    ["another audience", { aud: "else" }, { applicationID: "app" }, /No auth provider found/],
    ["no subject", { sub: undefined }, {}, /"sub" claim/],
    ["a start in the future", { nbf: NOW_SECONDS + 30 }, {}, /"nbf" claim/],
    ["another algorithm than configured", {}, { algorithm: "RS256" as const }, /Could not/],
  ])("with %s is refused", async (_, claims, provider, message) => {
    const { sub, ...rest } = { sub: "ann", ...claims };
    const token = await new SignJWT({
      iss: ISSUER,
      exp: NOW_SECONDS + 60,
      ...(sub === undefined ? {} : { sub }),
      ...rest,
    })
      .setProtectedHeader({ alg: "ES256", kid: first.kid })
      .sign(first.privateKey);
    await expect(authenticator(provider).user(token)).rejects.toThrow(message);
  });

  test("signed by a key outside the set, or naming no key, is refused", async () => {
    await expect(authenticator().user(await sign({}, { ...second, kid: first.kid }))).rejects.toThrow(
      /signature/,
    );
    await expect(authenticator().user(await sign({}, second))).rejects.toThrow(/'kid'/);
    const nameless = await new SignJWT({ iss: ISSUER, sub: "ann", exp: NOW_SECONDS + 60 })
      .setProtectedHeader({ alg: "ES256" })
      .sign(first.privateKey);
    await expect(authenticator().user(nameless)).rejects.toThrow(/missing a 'kid'/);
  });

  test("matches its provider whether or not the issuer has a scheme and a trailing slash", async () => {
    const token = await sign({ iss: "issuer.example/", aud: ["x", "app"] });
    const identity = await authenticator({ applicationID: "app" }).user(token);
    expect(identity).toMatchObject({ attributes: { tokenIdentifier: "issuer.example/|ann" } });
  });
});

describe("a token that was checked before", () => {
  const identify = (time: { nowMs: number }, jwks: { now: string }) => {
    const { user } = createAuthenticator({
      adminKey: ADMIN_KEY,
      providers: () => [{ type: "customJwt", issuer: ISSUER, jwks: jwks.now, algorithm: "ES256" }],
      clock: clockAt(time),
    });
    return user;
  };

  test("costs no second look at its signature", async () => {
    const verify = vi.spyOn(crypto.subtle, "verify");
    const user = identify({ nowMs: NOW_MS }, { now: dataUrl([first]) });
    const token = await sign({ name: "Ann" });
    expect(await user(token)).toEqual(await user(token));
    expect(verify).toHaveBeenCalledTimes(1);
    await user(await sign({ name: "Ben" }));
    expect(verify).toHaveBeenCalledTimes(2);
    verify.mockRestore();
  });

  test("is refused once its time is over, and before it begins", async () => {
    const time = { nowMs: NOW_MS };
    const user = identify(time, { now: dataUrl([first]) });
    const token = await sign({ nbf: NOW_SECONDS - 10 });
    await user(token);
    time.nowMs = NOW_MS + 64_000;
    await expect(user(token)).resolves.toMatchObject({ kind: "user" });
    time.nowMs = NOW_MS + 66_000;
    await expect(user(token)).rejects.toMatchObject({ message: "Could not validate token: Token expired" });
    time.nowMs = NOW_MS - 16_000;
    await expect(user(token)).rejects.toMatchObject({ kind: "unauthorized" });
  });

  test("is refused once its key is no longer among those of the app", async () => {
    const jwks = { now: dataUrl([first]) };
    const user = identify({ nowMs: NOW_MS }, jwks);
    const token = await sign({});
    await user(token);
    jwks.now = dataUrl([second]);
    await expect(user(token)).rejects.toMatchObject({ kind: "unauthorized" });
  });

  test("does not stand for another one with the same claims", async () => {
    const user = identify({ nowMs: NOW_MS }, { now: dataUrl([first]) });
    const token = await sign({});
    await user(token);
    const [head = "", claims = "", signature = ""] = token.split(".");
    const forged = `${head}.${claims}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
    await expect(user(forged)).rejects.toMatchObject({ kind: "unauthorized" });
  });
});

describe("a key set behind a URL", () => {
  test("is fetched once, and again for an unknown key, but not in a flood", async () => {
    const time = { nowMs: NOW_MS };
    let published = [first];
    let fetches = 0;
    const auth = createAuthenticator({
      adminKey: ADMIN_KEY,
      providers: () => [
        { type: "customJwt", issuer: ISSUER, jwks: "https://issuer.example/jwks", algorithm: "ES256" },
      ],
      clock: clockAt(time),
      fetch: async () => {
        fetches++;
        return Response.json({ keys: published.map((key) => key.publicJwk) });
      },
    });
    await Promise.all([auth.user(await sign({})), auth.user(await sign({}))]);
    expect(fetches).toBe(1);

    published = [first, second];
    const newer = await sign({ exp: NOW_SECONDS + 3600 }, second);
    await expect(auth.user(newer)).rejects.toThrow(/'kid'/);
    expect(fetches).toBe(1);

    time.nowMs += 31_000;
    await expect(auth.user(newer)).resolves.toMatchObject({ kind: "user" });
    expect(fetches).toBe(2);
  });

  test.each([
    ["an error page", () => new Response("no", { status: 500 }), /HTTP 500/],
    [
      "HTML",
      () => new Response("<p>", { headers: { "content-type": "text/html" } }),
      /Content-Type 'text\/html'/,
    ],
    ["no key list", () => Response.json({}), /Invalid JWKS/],
  ])("that answers with %s refuses the token with the reason", async (_, answer, message) => {
    const auth = createAuthenticator({
      adminKey: ADMIN_KEY,
      providers: () => [
        { type: "customJwt", issuer: ISSUER, jwks: "https://i.example/jwks", algorithm: "ES256" },
      ],
      clock: clockAt({ nowMs: NOW_MS }),
      fetch: async () => answer(),
    });
    await expect(auth.user(await sign({}))).rejects.toThrow(message);
  });
});

describe("the admin key", () => {
  test("makes an administrator, alone or acting as a user", async () => {
    const auth = authenticator();
    expect(await auth.identify(`Convex ${ADMIN_KEY}`)).toEqual({ kind: "admin", actingAs: null });
    const attributes = Buffer.from(JSON.stringify({ subject: "bo", issuer: "i", name: "Bö" })).toString(
      "base64",
    );
    expect(await auth.identify(`Convex ${ADMIN_KEY}:${attributes}`)).toEqual({
      kind: "admin",
      actingAs: { subject: "bo", issuer: "i", name: "Bö", tokenIdentifier: "i|bo" },
    });
  });

  test("is refused when one character differs, also in front of an identity", async () => {
    const auth = authenticator();
    await expect(auth.identify(`Convex ${ADMIN_KEY}x`)).rejects.toMatchObject({ kind: "unauthorized" });
    await expect(auth.identify(`Convex x${ADMIN_KEY}:e30=`)).rejects.toMatchObject({ kind: "unauthorized" });
  });
});

describe("a credential of another kind", () => {
  test("is an error on the API and an unknown identity on an HTTP action", async () => {
    const auth = authenticator();
    await expect(auth.identify("Basic YTpi")).rejects.toMatchObject({ kind: "unauthorized" });
    expect(await auth.identifyLeniently("Bearer pons_live_abc")).toMatchObject({ kind: "unknown" });
    expect(await auth.identifyLeniently(undefined)).toEqual({ kind: "none" });
  });
});
