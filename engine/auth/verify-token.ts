import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import type { Clock } from "../clock";
import { EngineError } from "../errors";
import type { AuthProvider, Identity, JsonObject } from "../types";
import { customAttributes, oidcAttributes } from "./claims";
import type { KeySets } from "./key-sets";

/** Clock difference that Convex forgives between itself and the issuer. */
const LEEWAY_SECONDS = 5;
/** The algorithms that Convex lets an OpenID provider sign with. */
const OIDC_ALGORITHMS = ["RS256", "EdDSA"];
/** Tokens that are remembered of one key set; an app has one for each of its users who are there now. */
const CHECKED_TOKENS_MAX = 10_000;

const unauthorized = (message: string, cause?: unknown): EngineError =>
  new EngineError("unauthorized", "InvalidAuthHeader", message, { cause });

/**
 * Checks a token against the providers of `auth.config.ts`: the first one whose issuer and application the token
 * names decides. Answers the identity that functions see, with the expiry in Unix milliseconds.
 * Throws "unauthorized" with a sentence for the developer.
 */
export async function verifyToken(
  token: string,
  providers: readonly AuthProvider[],
  keySets: KeySets,
  clock: Clock,
): Promise<Identity> {
  const { claims, kid } = decode(token);
  const provider = providers.find((candidate) => namedBy(claims, candidate));
  if (provider === undefined) {
    const hint =
      providers.length === 0
        ? "no providers are configured in convex/auth.config.ts"
        : "its issuer and audience match no provider of convex/auth.config.ts";
    throw unauthorized(`No auth provider found matching the given token: ${hint}.`);
  }
  if (provider.type === "oidc") {
    return verifyOidc(token, provider, keySets, clock);
  }
  if (kid === undefined) {
    throw unauthorized("Could not decode token. JWT may be missing a 'kid' (key ID) header.");
  }
  const keys = await keySets.keysAt(provider.jwks);
  const verified = provider.jwks.startsWith("data:")
    ? await checkOnce(token, provider.algorithm, keys, clock)
    : await check(token, [provider.algorithm], keys, clock);
  return identityOf(verified, customAttributes);
}

/** Tokens whose signature was found right, by the keys that checked them. */
const checkedBy = new WeakMap<JWTVerifyGetKey, Map<string, JWTPayload>>();

/**
 * As `check`, for keys that never change: a server sends the same token with every call, and checking its signature
 * costs more than reading a document. What changes is the time, so that is looked at every time.
 */
async function checkOnce(
  token: string,
  algorithm: string,
  keys: JWTVerifyGetKey,
  clock: Clock,
): Promise<JWTPayload> {
  const checked = checkedBy.get(keys) ?? new Map<string, JWTPayload>();
  checkedBy.set(keys, checked);
  const name = `${algorithm} ${token}`;
  const known = checked.get(name);
  if (known !== undefined && isTimely(known, clock)) {
    return known;
  }
  const claims = await check(token, [algorithm], keys, clock);
  if (checked.size >= CHECKED_TOKENS_MAX) {
    checked.clear();
  }
  checked.set(name, claims);
  return claims;
}

function isTimely({ exp, nbf }: JWTPayload, clock: Clock): boolean {
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  const isOver = exp === undefined || exp <= nowSeconds - LEEWAY_SECONDS;
  return !isOver && (nbf === undefined || nbf <= nowSeconds + LEEWAY_SECONDS);
}

async function verifyOidc(
  token: string,
  provider: Extract<AuthProvider, { type: "oidc" }>,
  keySets: KeySets,
  clock: Clock,
): Promise<Identity> {
  const { issuer, keys } = await keySets.discover(trimmed(provider.domain));
  const claims = await check(token, OIDC_ALGORITHMS, keys, clock);
  if (claims.iss !== issuer) {
    throw unauthorized(`Could not verify OIDC token claim: its issuer is '${claims.iss}', not '${issuer}'.`);
  }
  if (Array.isArray(claims.aud) && claims.aud.length !== 1) {
    throw unauthorized("Could not verify OIDC token claim: it has several audiences.");
  }
  if (typeof claims.iat !== "number") {
    throw unauthorized("Could not verify OIDC token claim: it does not say when it was issued (iat).");
  }
  const identity = identityOf(claims, oidcAttributes);
  // The leeway is for customJwt alone.
  if (identity.expiresAtMs <= clock.nowMs()) {
    throw unauthorized("Could not validate token: Token expired");
  }
  return identity;
}

function decode(token: string): { claims: JWTPayload; kid: string | undefined } {
  try {
    return { claims: decodeJwt(token), kid: decodeProtectedHeader(token).kid };
  } catch (error) {
    throw unauthorized("Could not parse the token as a JWT.", error);
  }
}

const withScheme = (issuer: string): string => (/^https?:\/\//.test(issuer) ? issuer : `https://${issuer}`);
const trimmed = (issuer: string): string => withScheme(issuer).replace(/\/+$/, "");

function namedBy(claims: JWTPayload, provider: AuthProvider): boolean {
  const issuer = provider.type === "oidc" ? provider.domain : provider.issuer;
  if (typeof claims.iss !== "string" || trimmed(claims.iss) !== trimmed(issuer)) {
    return false;
  }
  if (provider.applicationID === undefined) {
    return true;
  }
  const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  return audiences.includes(provider.applicationID);
}

async function check(
  token: string,
  algorithms: string[],
  keys: JWTVerifyGetKey,
  clock: Clock,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms,
      clockTolerance: LEEWAY_SECONDS,
      currentDate: new Date(clock.nowMs()),
      requiredClaims: ["sub", "iss", "exp"],
    });
    return payload;
  } catch (error) {
    if (error instanceof EngineError) {
      throw error;
    }
    if (error instanceof errors.JWTExpired) {
      throw unauthorized("Could not validate token: Token expired", error);
    }
    if (error instanceof errors.JWKSNoMatchingKey) {
      throw unauthorized(
        "Could not decode token. Does its 'kid' match any key in the provider's JWKS?",
        error,
      );
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw unauthorized(`Could not validate token: ${reason}`, error);
  }
}

function identityOf(
  claims: JWTPayload,
  attributesOf: (claims: JsonObject) => JsonObject,
): Extract<Identity, { kind: "user" }> {
  const { sub, iss, exp } = claims;
  if (typeof sub !== "string" || typeof iss !== "string" || typeof exp !== "number") {
    throw unauthorized("Could not validate token: it needs the claims sub, iss and exp.");
  }
  // The payload of a JWT is JSON by definition (RFC 7519, 7.2); jose types its values as unknown.
  const attributes = attributesOf(claims as JsonObject);
  return {
    kind: "user",
    attributes: { ...attributes, tokenIdentifier: `${iss}|${sub}`, subject: sub, issuer: iss },
    expiresAtMs: exp * 1000,
  };
}
