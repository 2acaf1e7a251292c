import { importJWK, SignJWT } from "jose";
import type { Id } from "../../convex/_generated/dataModel";
import { serverEnv } from "./env";

/** Who the Next server speaks for when it calls Convex; the functions there check the use and re-check the rights. */
export type Identity =
  | { use: "service" }
  | { use: "user"; userId: string }
  | { use: "mcp"; apiKeyId: Id<"apiKeys"> };

export type IdentityToken = { token: string; expiresAt: number };

/** Long enough for a page to work with, short enough that a copied token is soon worth nothing. */
const LIFETIME_MS = 10 * 60 * 1000;

/** A kept token is used only while it outlives any single call. */
const RENEW_BEFORE_MS = 60 * 1000;

/** Tokens kept in the process: one for the server itself and one for each API key in use. */
const KEPT_TOKENS_MAX = 1_000;

const kept = new Map<string, IdentityToken>();

/** A fresh token for a browser: it shall live as long as its `expiresAt` (ms) promises. */
export async function mintIdentityToken(identity: Identity): Promise<IdentityToken> {
  const { CONVEX_IDENTITY_KEY: jwk, SITE_URL } = serverEnv();
  const now = Date.now();
  const expiresAt = now + LIFETIME_MS;
  const { subject, claims } = describe(identity);
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: jwk.kid })
    .setIssuer(SITE_URL)
    .setAudience("convex")
    .setSubject(subject)
    .setIssuedAt(Math.floor(now / 1000))
    .setExpirationTime(Math.floor(expiresAt / 1000))
    .sign(await importJWK(jwk, "ES256"));
  return { token, expiresAt };
}

/** A token for a call that this process makes right now; the same one is used again until shortly before its end. */
export async function identityToken(identity: Identity): Promise<string> {
  const key = `${identity.use}:${describe(identity).subject}`;
  const known = kept.get(key);
  if (known && known.expiresAt - RENEW_BEFORE_MS > Date.now()) return known.token;
  const minted = await mintIdentityToken(identity);
  if (kept.size >= KEPT_TOKENS_MAX) kept.clear();
  kept.set(key, minted);
  return minted.token;
}

function describe(identity: Identity): { subject: string; claims: Record<string, string> } {
  switch (identity.use) {
    case "service":
      return { subject: "service:next", claims: { use: "service" } };
    case "user":
      return { subject: identity.userId, claims: { use: "user" } };
    case "mcp":
      return { subject: identity.apiKeyId, claims: { use: "mcp", apiKeyId: identity.apiKeyId } };
  }
}
