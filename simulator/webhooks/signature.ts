import { createHmac } from "node:crypto";

export const SIGNATURE_MODES = ["valid", "invalid", "missing", "old", "sha1_only"] as const;
export type SignatureMode = (typeof SIGNATURE_MODES)[number];

/** The secret before the app secret was replaced; signatures of the mode `old` are made with it. */
export const OLD_APP_SECRET = "sim-old-app-secret";

/** Meta's two headers over the raw bytes, or what the mode makes of them. */
export function signatureHeaders(
  appSecret: string,
  body: Buffer,
  mode: SignatureMode,
): Readonly<Record<string, string>> {
  if (mode === "missing") return {};
  const secret = { valid: appSecret, sha1_only: appSecret, old: OLD_APP_SECRET, invalid: `not-${appSecret}` }[
    mode
  ];
  const hex = (algorithm: string) => createHmac(algorithm, secret).update(body).digest("hex");
  const legacy = { "x-hub-signature": `sha1=${hex("sha1")}` };
  return mode === "sha1_only" ? legacy : { "x-hub-signature-256": `sha256=${hex("sha256")}`, ...legacy };
}
