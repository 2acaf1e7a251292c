import { createHash, timingSafeEqual } from "node:crypto";
import { EngineError } from "../errors";
import { parseJson, requireObject } from "../json";
import type { Identity, JsonObject } from "../types";

const digest = (text: string): Buffer => createHash("sha256").update(text, "utf8").digest();

/** Compares in a time that depends on neither text: both are hashed first, so that lengths do not show either. */
export const sameSecret = (given: string, expected: string): boolean =>
  timingSafeEqual(digest(given), digest(expected));

export const badAdminKey = (): EngineError =>
  new EngineError("unauthorized", "BadDeployKey", "The provided admin key was invalid for this instance.");

/**
 * Attributes of a user that an administrator acts as (`convex run --identity`): `subject`, `issuer` and whatever else
 * the command gave. `tokenIdentifier` is filled in as `issuer|subject` where it is missing.
 */
export function actingAsAttributes(attributes: JsonObject): JsonObject {
  if (typeof attributes["tokenIdentifier"] === "string") {
    return attributes;
  }
  const { issuer, subject } = attributes;
  if (typeof issuer !== "string" || typeof subject !== "string") {
    throw new EngineError(
      "unauthorized",
      "BadActingAs",
      "The identity to act as needs a tokenIdentifier, or an issuer and a subject.",
    );
  }
  return { ...attributes, tokenIdentifier: `${issuer}|${subject}` };
}

/**
 * Reads the credential of `Authorization: Convex <credential>`: the key alone, or the key, a colon and the base64 of
 * the JSON attributes of a user. Throws "unauthorized" when it is not the key of this deployment.
 */
export function adminIdentity(credential: string, adminKey: string): Identity {
  if (sameSecret(credential, adminKey)) {
    return { kind: "admin", actingAs: null };
  }
  const colon = credential.lastIndexOf(":");
  if (colon < 0 || !sameSecret(credential.slice(0, colon), adminKey)) {
    throw badAdminKey();
  }
  const text = Buffer.from(credential.slice(colon + 1), "base64").toString("utf8");
  const attributes = requireObject(parseJson(text, "The identity to act as"), "The identity to act as");
  return { kind: "admin", actingAs: actingAsAttributes(attributes) };
}
