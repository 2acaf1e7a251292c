import { isJsonObject } from "../json";
import type { JsonObject, JsonValue } from "../types";

/** Claims with a meaning of their own in RFC 7519; they do not become custom claims. `fva` is Clerk's and dropped too. */
const REGISTERED_CLAIMS = new Set(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "fva"]);
/** Fields of the identity that a claim of the same name must not replace. */
const IDENTITY_FIELDS = new Set(["tokenIdentifier", "subject", "issuer"]);

/** Standard claims of OpenID Connect (Core 1.0, section 5.1) that are texts, and their names in Convex's UserIdentity. */
const TEXT_CLAIMS: Record<string, string> = {
  name: "name",
  given_name: "givenName",
  family_name: "familyName",
  nickname: "nickname",
  preferred_username: "preferredUsername",
  profile: "profileUrl",
  picture: "pictureUrl",
  website: "websiteUrl",
  email: "email",
  gender: "gender",
  birthdate: "birthday",
  zoneinfo: "timezone",
  locale: "language",
  phone_number: "phoneNumber",
};
const FLAG_CLAIMS: Record<string, string> = {
  email_verified: "emailVerified",
  phone_number_verified: "phoneNumberVerified",
};
/** Claims that say how somebody signed in, or that stand for others; no function sees them. */
const PROTOCOL_CLAIMS = new Set([
  "nonce",
  "auth_time",
  "acr",
  "amr",
  "azp",
  "at_hash",
  "c_hash",
  "middle_name",
]);

/**
 * The attributes of a customJwt token: every claim that is not registered, under its own name; a nested object as
 * `outer.inner` (engine brief D.11).
 */
export const customAttributes = (claims: JsonObject): JsonObject =>
  flatten(claims, (name) => REGISTERED_CLAIMS.has(name) || IDENTITY_FIELDS.has(name));

/** The attributes of an OpenID Connect token: standard claims under Convex's names, every other one as it is. */
export function oidcAttributes(claims: JsonObject): JsonObject {
  const standard: { [name: string]: JsonValue } = {};
  for (const [claim, name] of Object.entries(TEXT_CLAIMS)) {
    const value = claims[claim];
    if (typeof value === "string") {
      standard[name] = value;
    }
  }
  for (const [claim, name] of Object.entries(FLAG_CLAIMS)) {
    const value = claims[claim];
    if (typeof value === "boolean") {
      standard[name] = value;
    }
  }
  const { address, updated_at: updatedAt } = claims;
  if (isJsonObject(address) && typeof address["formatted"] === "string") {
    standard["address"] = address["formatted"];
  }
  const updated = typeof updatedAt === "number" ? new Date(updatedAt * 1000) : null;
  if (updated !== null && !Number.isNaN(updated.getTime())) {
    standard["updatedAt"] = updated.toISOString();
  } else if (typeof updatedAt === "string") {
    standard["updatedAt"] = updatedAt;
  }
  const isStandard = (name: string) => name in TEXT_CLAIMS || name in FLAG_CLAIMS;
  const others = flatten(
    claims,
    (name) =>
      isStandard(name) ||
      name === "address" ||
      name === "updated_at" ||
      REGISTERED_CLAIMS.has(name) ||
      IDENTITY_FIELDS.has(name) ||
      PROTOCOL_CLAIMS.has(name),
  );
  return { ...others, ...standard };
}

function flatten(claims: JsonObject, isLeftOut: (name: string) => boolean): JsonObject {
  const flat: { [name: string]: JsonValue } = {};
  const add = (prefix: string, value: JsonObject) => {
    for (const [key, claim] of Object.entries(value)) {
      const name = prefix + key;
      if (isLeftOut(name)) {
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
