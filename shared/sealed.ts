import { fromBase64Url, plainBytes, toBase64Url } from "./bytes";

/**
 * Secrets at rest: `v1.<kid>.<iv>.<ciphertext>`, AES-256-GCM. Each purpose (a table and field) has its own key,
 * derived by HKDF-SHA256 from the master key named by `kid`; the purpose and the row are authenticated, so that a
 * sealed value copied to another row or field does not open. Several master keys may be known at a time: the first
 * seals, all of them open.
 */
export interface SecretsKey {
  readonly kid: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Where a secret lives. */
export interface SealedPlace {
  /** `table.field`, such as `accounts.accessToken`. */
  readonly purpose: string;
  readonly rowId: string;
}

export type Opened =
  | {
      readonly ok: true;
      readonly secret: string /** Sealed with an older key: seal it again when writing. */;
      readonly stale: boolean;
    }
  | { readonly ok: false; readonly reason: "malformed" | "unknown_key" | "not_authentic" };

/** AES-GCM's own length of an initialisation vector. */
export const IV_BYTES = 12;
const MASTER_KEY_BYTES = 32;
const KID_FORM = /^[A-Za-z0-9_-]{1,32}$/;
const SEALED_FORM = /^v1\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})$/;

/** The keys of `SECRETS_KEYS` (`kid:base64url32[,older]`), or a sentence that says what is wrong with it. */
export function parseSecretsKeys(text: string): { keys: readonly SecretsKey[] } | { problem: string } {
  const keys: SecretsKey[] = [];
  for (const part of text.split(",").map((item) => item.trim())) {
    const [kid = "", encoded = "", ...rest] = part.split(":");
    const bytes = fromBase64Url(encoded);
    if (!KID_FORM.test(kid) || rest.length > 0) return { problem: "Each key is written as name:value." };
    if (bytes?.length !== MASTER_KEY_BYTES)
      return { problem: `The value of key "${kid}" is not 32 bytes in base64url.` };
    if (keys.some((key) => key.kid === kid)) return { problem: `The key name "${kid}" appears twice.` };
    keys.push({ kid, bytes });
  }
  return { keys };
}

/**
 * Seals a secret with the first key. `iv` is 12 random bytes that the caller brings, used once and never again,
 * because only the caller knows whether its randomness is real.
 */
export async function sealSecret(
  keys: readonly SecretsKey[],
  place: SealedPlace,
  secret: string,
  iv: Uint8Array,
): Promise<string> {
  const key = keys[0];
  if (key === undefined) throw new RangeError("Sealing needs at least one key.");
  if (iv.length !== IV_BYTES) throw new RangeError(`Sealing needs an iv of ${IV_BYTES} bytes.`);
  const ciphertext = await globalThis.crypto.subtle.encrypt(
    { name: "AES-GCM", iv: plainBytes(iv), additionalData: boundTo(key.kid, place) },
    await purposeKey(key, place.purpose),
    plainBytes(secret),
  );
  return `v1.${key.kid}.${toBase64Url(iv)}.${toBase64Url(ciphertext)}`;
}

/** Opens a sealed secret at its place. Never throws; says why it cannot. */
export async function openSecret(
  keys: readonly SecretsKey[],
  place: SealedPlace,
  sealed: string,
): Promise<Opened> {
  const [, kid, ivText = "", ciphertextText = ""] = SEALED_FORM.exec(sealed) ?? [];
  const iv = fromBase64Url(ivText);
  const ciphertext = fromBase64Url(ciphertextText);
  if (kid === undefined || iv === null || ciphertext === null) return { ok: false, reason: "malformed" };
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined) return { ok: false, reason: "unknown_key" };
  try {
    const plain = await globalThis.crypto.subtle.decrypt(
      { name: "AES-GCM", iv, additionalData: boundTo(kid, place) },
      await purposeKey(key, place.purpose),
      ciphertext,
    );
    return { ok: true, secret: new TextDecoder().decode(plain), stale: key !== keys[0] };
  } catch {
    // WebCrypto gives one error for every way in which authentication fails, on purpose.
    return { ok: false, reason: "not_authentic" };
  }
}

function boundTo(kid: string, { purpose, rowId }: SealedPlace): Uint8Array<ArrayBuffer> {
  return plainBytes(`v1.${kid}.${purpose}:${rowId}`);
}

async function purposeKey(key: SecretsKey, purpose: string): Promise<CryptoKey> {
  const master = await globalThis.crypto.subtle.importKey("raw", key.bytes, "HKDF", false, ["deriveKey"]);
  return globalThis.crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: plainBytes(purpose) },
    master,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}
