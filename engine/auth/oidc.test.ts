import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type JumpingClock, jumpingClock } from "../../tests/support/jumping-clock";
import { type LiveEngine, startLiveEngine } from "../../tests/support/live-engine";
import {
  makeSigningKey,
  type OidcProvider,
  type SigningKey,
  startOidcProvider,
} from "../../tests/support/oidc-provider";
import { SyncClient } from "../../tests/support/sync-client";

const whoAmI = makeFunctionReference<"query", Record<string, never>, Record<string, unknown> | null>(
  "who:am",
);

let engine: LiveEngine;
let clock: JumpingClock;
let provider: OidcProvider;
let keys: Record<"rsa" | "ed" | "ec" | "late" | "custom" | "self", SigningKey>;

beforeAll(async () => {
  clock = jumpingClock();
  const [rsa, ed, ec, late, custom, self] = await Promise.all([
    makeSigningKey("rsa", "RS256"),
    makeSigningKey("ed", "EdDSA"),
    makeSigningKey("ec", "ES256"),
    makeSigningKey("late", "RS256"),
    makeSigningKey("custom", "RS256"),
    makeSigningKey("self", "RS256"),
  ]);
  keys = { rsa, ed, ec, late, custom, self };
  provider = await startOidcProvider([rsa, ed, ec]);
  engine = await startLiveEngine({ isolation: "reuse", clock });
  await engine.admin("/api/update_environment_variables", {
    changes: [
      // With a slash more than its tokens have, as people copy it.
      { name: "OIDC_DOMAIN", value: `${provider.domain}/` },
      { name: "SELF_JWKS", value: JSON.stringify({ keys: [self.jwk] }) },
      {
        name: "CUSTOM_JWKS",
        value: `data:application/json,${encodeURIComponent(JSON.stringify({ keys: [custom.jwk] }))}`,
      },
    ],
  });
  await engine.deploy("oidc-app");
}, 60_000);

afterAll(async () => {
  await engine.discard();
  await provider.close();
});

/** Every test starts with a provider that nothing is known of: what was read is too old by far. */
beforeEach(() => {
  clock.jump(2 * 60 * 60_000);
  provider.keys = [keys.rsa, keys.ed, keys.ec];
  provider.issuer = provider.domain;
  provider.broken = null;
  provider.requests.length = 0;
});

const claims = (more: object = {}) => {
  const iat = Math.floor(clock.nowMs() / 1000);
  return { iss: provider.domain, aud: "web", sub: "ann", iat, exp: iat + 600, ...more };
};

async function identityOf(token: string): Promise<Record<string, unknown> | null> {
  const client = new ConvexHttpClient(engine.cloudUrl, { logger: false });
  client.setAuth(token);
  return client.query(whoAmI, {});
}

async function refusalOf(token: string): Promise<{ status: number; code: string; message: string }> {
  const response = await fetch(`${engine.cloudUrl}/api/query`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ path: "who:am", args: [{}] }),
  });
  const { code, message }: { code: string; message: string } = await response.json();
  return { status: response.status, code, message };
}

describe("a token of an OpenID provider", () => {
  test("becomes an identity under Convex's names, with every other claim as it is", async () => {
    const token = await keys.rsa.sign(
      claims({
        name: "Ann",
        given_name: "A",
        email: "ann@example.com",
        email_verified: true,
        picture: "https://example.com/a.png",
        address: { formatted: "1 Road" },
        updated_at: 1_700_000_000,
        org: { id: 7 },
        plan: "pro",
        nonce: "n",
        azp: "web",
        jti: "x",
        fva: [1, 2],
        subject: "forged",
      }),
    );
    expect(await identityOf(token)).toEqual({
      tokenIdentifier: `${provider.domain}|ann`,
      subject: "ann",
      issuer: provider.domain,
      name: "Ann",
      givenName: "A",
      email: "ann@example.com",
      emailVerified: true,
      pictureUrl: "https://example.com/a.png",
      address: "1 Road",
      updatedAt: "2023-11-14T22:13:20.000Z",
      "org.id": 7,
      plan: "pro",
    });
  });

  test("may be signed with EdDSA, and with nothing else but RS256", async () => {
    expect(await identityOf(await keys.ed.sign(claims()))).toMatchObject({ subject: "ann" });
    expect(await refusalOf(await keys.ec.sign(claims()))).toMatchObject({ status: 401 });
  });

  test.each([
    ["that has expired, without the leeway of customJwt", { exp: -2 }, /expired/i],
    ["for another application", { aud: "other" }, /No auth provider found/],
    ["for several applications", { aud: ["web", "other"] }, /several audiences/],
    ["without a time of issue", { iat: undefined }, /iat/],
    ["without a subject", { sub: undefined }, /"sub" claim/],
  ])("%s is refused", async (_, more: { exp?: number; [claim: string]: unknown }, message) => {
    const exp = more.exp === undefined ? {} : { exp: Math.floor(clock.nowMs() / 1000) + more.exp };
    const refusal = await refusalOf(await keys.rsa.sign(claims({ ...more, ...exp })));
    expect(refusal).toMatchObject({ status: 401, message: expect.stringMatching(message) });
  });

  test("is checked by its own provider where several are configured", async () => {
    const custom = await keys.custom.sign(
      claims({ iss: "https://custom.example", aud: undefined, email_verified: true }),
    );
    // Its claims keep their raw names.
    expect(await identityOf(custom)).toMatchObject({
      issuer: "https://custom.example",
      email_verified: true,
    });
    const crossed = await keys.custom.sign(claims());
    expect(await refusalOf(crossed)).toMatchObject({ status: 401 });
    expect(await identityOf(await keys.rsa.sign(claims()))).toMatchObject({ issuer: provider.domain });
  });
});

describe("the provider", () => {
  test("is asked once for many tokens that come together", async () => {
    const token = await keys.rsa.sign(claims());
    await Promise.all(Array.from({ length: 20 }, () => identityOf(token)));
    expect(provider.requests).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  test("may change its keys: an unknown one is looked for, but not in a flood", async () => {
    await identityOf(await keys.rsa.sign(claims()));
    provider.keys = [keys.late];
    const newer = await keys.late.sign(claims());
    expect(await refusalOf(newer)).toMatchObject({ status: 401, message: expect.stringMatching(/kid/) });
    clock.jump(31_000);
    provider.requests.length = 0;
    await Promise.all([identityOf(newer), identityOf(newer)]);
    const forged = await (await makeSigningKey("forged", "RS256")).sign(claims());
    await Promise.all(Array.from({ length: 10 }, () => refusalOf(forged)));
    expect(provider.requests).toEqual(["/keys"]);
  });

  test("that is down makes a clear error that can be tried again, and is then left alone for a moment", async () => {
    provider.broken = 503;
    const token = await keys.rsa.sign(claims());
    expect(await refusalOf(token)).toEqual({
      status: 503,
      code: "AuthProviderDiscoveryFailed",
      message: `Auth provider discovery of ${provider.domain} failed: HTTP 503.`,
    });
    await refusalOf(token);
    expect(provider.requests).toHaveLength(1);
    provider.broken = null;
    clock.jump(6_000);
    expect(await identityOf(token)).toMatchObject({ subject: "ann" });
  });

  test("that is down for a moment signs nobody out, and after an hour everybody", async () => {
    await identityOf(await keys.rsa.sign(claims()));
    provider.broken = 503;
    clock.jump(20 * 60_000);
    expect(await identityOf(await keys.rsa.sign(claims()))).toMatchObject({ subject: "ann" });
    clock.jump(60 * 60_000);
    expect(await refusalOf(await keys.rsa.sign(claims()))).toMatchObject({ status: 503 });
  });

  test("that calls itself something else is not believed", async () => {
    provider.issuer = "https://other.example";
    expect(await refusalOf(await keys.rsa.sign(claims()))).toMatchObject({
      status: 401,
      code: "AuthProviderDiscoveryFailed",
    });
  });

  test("that is down sends a socket away to come back, not out of its session", async () => {
    provider.broken = 500;
    const client = await SyncClient.open(engine.cloudUrl);
    client.send({
      type: "Authenticate",
      tokenType: "User",
      baseVersion: 0,
      value: await keys.rsa.sign(claims()),
    });
    expect(await client.closed).toEqual({ code: 1013, reason: "AuthProviderDiscoveryFailed" });
  });
});

test("the deployment may be its own provider: its HTTP actions answer while a token is being checked", async () => {
  const token = await keys.self.sign(claims({ iss: engine.siteUrl, aud: "self" }));
  expect(await identityOf(token)).toMatchObject({ issuer: engine.siteUrl, subject: "ann" });
  clock.jump(2 * 60 * 60_000);
  const fresh = await keys.self.sign(claims({ iss: engine.siteUrl, aud: "self" }));
  const response = await fetch(`${engine.siteUrl}/who`, { headers: { authorization: `Bearer ${fresh}` } });
  expect(await response.json()).toMatchObject({ subject: "ann" });
});
