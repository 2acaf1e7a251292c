import { constantTimeEqual, fromBase64Url, toBase64Url } from "./bytes";
import { hmacSha256 } from "./signature";
import { HOUR_MS } from "./time";

/**
 * Links to the files of messages: `/api/media/{messageId}?p=...&e=...&s=...`. A link is made for one principal
 * (`user:...` or `key:...`) and ends at `expiresAt`; whoever presents it must still be served only what that principal
 * may see at that moment.
 */
export interface MediaLink {
  readonly messageId: string;
  readonly principal: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** HMAC-SHA256 over all of the above, base64url. */
  readonly signature: string;
}

/** Links in the dashboard are exchanged for new ones so often; an older one works for as long again. */
export const LINK_PERIOD_MS = 4 * HOUR_MS;
/** No link is given out for longer, so one that says so was not made here. */
export const LINK_LIFE_MS_MAX = 2 * LINK_PERIOD_MS;

const PURPOSE = "pons media link v1";

/** Signs a link with a master key (`SECRETS_KEYS`); the key of links is derived from it. */
export async function signMediaLink(
  masterKey: Uint8Array,
  link: Omit<MediaLink, "signature">,
): Promise<MediaLink> {
  return { ...link, signature: toBase64Url(await signatureOf(masterKey, link)) };
}

/** Whether one of the master keys signed the link. The time depends on the number of keys only. */
export async function isSignedMediaLink(
  masterKeys: readonly Uint8Array[],
  link: MediaLink,
): Promise<boolean> {
  const claimed = fromBase64Url(link.signature) ?? new Uint8Array(0);
  let isSigned = false;
  for (const key of masterKeys) {
    if (constantTimeEqual(await signatureOf(key, link), claimed)) isSigned = true;
  }
  return isSigned;
}

async function signatureOf(masterKey: Uint8Array, link: Omit<MediaLink, "signature">): Promise<Uint8Array> {
  const { messageId, principal, expiresAt } = link;
  const key = await hmacSha256(masterKey, PURPOSE);
  // JSON keeps the parts apart, whatever stands in them.
  return await hmacSha256(key, JSON.stringify([messageId, principal, expiresAt]));
}

/** The link as a path of the app. */
export function mediaLinkPath({ messageId, principal, expiresAt, signature }: MediaLink): string {
  const query = new URLSearchParams({ p: principal, e: String(expiresAt), s: signature });
  return `/api/media/${encodeURIComponent(messageId)}?${query}`;
}

/** Reads a link from its path and query; null when a part is missing or of the wrong form. */
export function parseMediaLink(messageId: string, query: URLSearchParams): MediaLink | null {
  const [principal, expires, signature] = [query.get("p"), query.get("e"), query.get("s")];
  if (principal === null || signature === null || expires === null) return null;
  if (!/^\d{13}$/.test(expires) || !/^[A-Za-z0-9_-]{43}$/.test(signature)) return null;
  if (!/^(user|key):[\x21-\x7e]{1,128}$/.test(principal) || !/^[A-Za-z0-9_-]{1,64}$/.test(messageId))
    return null;
  return { messageId, principal, expiresAt: Number(expires), signature };
}
