import { createHmac, hkdfSync } from "node:crypto";
import { sameSecret } from "../auth/admin-key";
import type { Clock } from "../clock";
import type { ComponentPath } from "../types";

/** Upload URLs of Convex are valid for one hour. */
const TOKEN_LIFE_MS = 60 * 60_000;

export interface UploadTokens {
  /** @param component where the file is to be stored; the app by default */
  issue(component?: ComponentPath): string;
  /** The component that this deployment issued it for less than an hour ago; null for any other text. */
  componentOf(token: string): ComponentPath | null;
}

/**
 * Tokens of upload URLs: expiry, nonce and component, signed with a key derived from the admin key, so that they stay valid
 * across a restart and nothing has to be stored.
 */
export function createUploadTokens(adminKey: string, clock: Clock): UploadTokens {
  const key = Buffer.from(hkdfSync("sha256", adminKey, "", "engine/files upload token", 32));
  const sign = (content: string) => createHmac("sha256", key).update(content).digest("base64url");
  return {
    issue(component = "") {
      const nonce = Buffer.from(clock.randomBytes(9)).toString("base64url");
      const owner = Buffer.from(component).toString("base64url");
      const content = `${(clock.nowMs() + TOKEN_LIFE_MS).toString(36)}.${nonce}.${owner}`;
      return `${content}.${sign(content)}`;
    },
    componentOf(token) {
      const [expiry = "", nonce = "", owner = "", signature = "", ...rest] = token.split(".");
      const isOurs = rest.length === 0 && sameSecret(signature, sign(`${expiry}.${nonce}.${owner}`));
      const isValid = isOurs && Number.parseInt(expiry, 36) > clock.nowMs();
      return isValid ? Buffer.from(owner, "base64url").toString() : null;
    },
  };
}
