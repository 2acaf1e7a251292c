import { type Bytes, constantTimeEqual, fromHex, plainBytes, toHex } from "./bytes";

/**
 * How many secrets are tried for one delivery: the app's own, an account's, and their predecessors while a secret
 * is being replaced. The limit keeps a forged body from costing more than a few HMAC computations.
 */
export const CANDIDATE_SECRETS_MAX = 5;

/** Meta writes `sha256=` and the 64 hex digits of the HMAC; anything else is refused unread. */
const HEADER_FORM = /^sha256=([0-9a-fA-F]{64})$/;

/** The 32 bytes named by an `X-Hub-Signature-256` header, or null when the header is missing or malformed. */
export function parseSignatureHeader(header: string | null | undefined): Uint8Array<ArrayBuffer> | null {
  const hex = typeof header === "string" ? HEADER_FORM.exec(header)?.[1] : undefined;
  return hex === undefined ? null : fromHex(hex);
}

/** HMAC-SHA256. The key must not be empty (WebCrypto refuses an empty one). */
export async function hmacSha256(
  key: Bytes | string,
  data: Bytes | string,
): Promise<Uint8Array<ArrayBuffer>> {
  const cryptoKey = await globalThis.crypto.subtle.importKey(
    "raw",
    plainBytes(key),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return new Uint8Array(await globalThis.crypto.subtle.sign("HMAC", cryptoKey, plainBytes(data)));
}

/** The value of `X-Hub-Signature-256` for these very bytes, as Meta computes it. */
export async function signatureHeader(secret: Bytes | string, body: Bytes | string): Promise<string> {
  return `sha256=${toHex(await hmacSha256(secret, body))}`;
}

/** `appsecret_proof` of a Graph call: hex HMAC-SHA256 of the access token under the app secret (Meta: "Securing Graph API Requests"). */
export async function appSecretProof(appSecret: string, accessToken: string): Promise<string> {
  return toHex(await hmacSha256(appSecret, accessToken));
}

/**
 * Which of the candidate secrets signed these raw bytes: the index of the first that did, or null for none.
 *
 * Never throws. An empty secret is never a match, and only the first five candidates are tried. Every candidate is
 * computed whatever the others gave, so that time tells nothing about which secret is the right one.
 */
export async function matchingSecret(
  body: Bytes,
  header: string | null | undefined,
  secrets: readonly (Bytes | string)[],
): Promise<number | null> {
  const claimed = parseSignatureHeader(header);
  if (claimed === null) return null;
  let match: number | null = null;
  for (const [index, secret] of secrets.slice(0, CANDIDATE_SECRETS_MAX).entries()) {
    const signed = await signedBy(secret, body, claimed);
    if (signed && match === null) match = index;
  }
  return match;
}

async function signedBy(secret: Bytes | string, body: Bytes, claimed: Uint8Array): Promise<boolean> {
  if (plainBytes(secret).length === 0) return false;
  try {
    return constantTimeEqual(await hmacSha256(secret, body), claimed);
  } catch {
    // A key that the runtime's WebCrypto cannot take proves nothing about the body: it is simply not the signer.
    return false;
  }
}
