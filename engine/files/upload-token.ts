import { createHmac, hkdfSync } from "node:crypto";
import { sameSecret } from "../auth/admin-key";
import type { Clock } from "../clock";

/** Upload URLs of Convex are valid for one hour. */
const TOKEN_LIFE_MS = 60 * 60_000;

export interface UploadTokens {
  issue(): string;
  /** Whether this deployment issued it less than an hour ago. */
  accepts(token: string): boolean;
}

/**
 * Tokens of upload URLs: expiry and nonce, signed with a key derived from the admin key, so that they stay valid
 * across a restart and nothing has to be stored.
 */
export function createUploadTokens(adminKey: string, clock: Clock): UploadTokens {
  const key = Buffer.from(hkdfSync("sha256", adminKey, "", "engine/files upload token", 32));
  const sign = (content: string) => createHmac("sha256", key).update(content).digest("base64url");
  return {
    issue() {
      const nonce = Buffer.from(clock.randomBytes(9)).toString("base64url");
      const content = `${(clock.nowMs() + TOKEN_LIFE_MS).toString(36)}.${nonce}`;
      return `${content}.${sign(content)}`;
    },
    accepts(token) {
      const [expiry = "", nonce = "", signature = "", ...rest] = token.split(".");
      const isOurs = rest.length === 0 && sameSecret(signature, sign(`${expiry}.${nonce}`));
      return isOurs && Number.parseInt(expiry, 36) > clock.nowMs();
    },
  };
}
