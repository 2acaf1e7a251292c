import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import type { Clock } from "../clock";
import { EngineError } from "../errors";
import { isJsonObject } from "../json";
import type { AuthProvider, Identity, JsonObject, JsonValue } from "../types";
import type { KeySets } from "./key-sets";

/** Clock difference that Convex forgives between itself and the issuer. */
const LEEWAY_SECONDS = 5;
/** Claims with a meaning of their own in RFC 7519; they do not become custom claims. `fva` is Clerk's and dropped too. */
const REGISTERED_CLAIMS = new Set(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "fva"]);
/** Fields of the identity that a claim of the same name must not replace. */
const IDENTITY_FIELDS = new Set(["tokenIdentifier", "subject", "issuer"]);

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
    throw unauthorized(
      `The provider ${provider.domain} uses OpenID discovery, which this backend does not speak. Configure it as customJwt with its JWKS address.`,
    );
  }
  if (kid === undefined) {
    throw unauthorized("Could not decode token. JWT may be missing a 'kid' (key ID) header.");
  }
  const keys = await keySets.keysAt(provider.jwks);
  const verified = await check(token, provider.algorithm, keys, clock);
  return identityOf(verified);
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
  algorithm: string,
  keys: Parameters<typeof jwtVerify>[1],
  clock: Clock,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: [algorithm],
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

function identityOf(claims: JWTPayload): Identity {
  const { sub, iss, exp } = claims;
  if (typeof sub !== "string" || typeof iss !== "string" || typeof exp !== "number") {
    throw unauthorized("Could not validate token: it needs the claims sub, iss and exp.");
  }
  // The payload of a JWT is JSON by definition (RFC 7519, 7.2); jose types its values as unknown.
  const custom = flattenClaims(claims as JsonObject);
  return {
    kind: "user",
    attributes: { ...custom, tokenIdentifier: `${iss}|${sub}`, subject: sub, issuer: iss },
    expiresAtMs: exp * 1000,
  };
}

function flattenClaims(claims: JsonObject): JsonObject {
  const flat: { [name: string]: JsonValue } = {};
  const add = (prefix: string, value: JsonObject) => {
    for (const [key, claim] of Object.entries(value)) {
      const name = prefix + key;
      if (REGISTERED_CLAIMS.has(name) || IDENTITY_FIELDS.has(name)) {
        continue;
      }
      if (isJsonObject(claim)) {
        add(`${name}.`, claim);
      } else {
        flat[name] = claim;
      }
    }
  };
  add("", claims);
  return flat;
}
