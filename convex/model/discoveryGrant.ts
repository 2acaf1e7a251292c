import { IV_BYTES, openSecret, sealSecret } from "#shared/sealed";
import { MINUTE_MS } from "#shared/time";
import { fail } from "./errors";
import { secretsKeys } from "./secrets";

/** Time to choose among the numbers that were found. */
export const GRANT_MS = 30 * MINUTE_MS;

const PURPOSE = "accounts.discovery";
/** The end of the grant (ms), a dot, the token. */
const GRANT_FORM = /^(\d{1,16})\.(.+)$/;

/**
 * The token of a discovery, sealed for the person who made it, so that it needs to be stored nowhere while they choose.
 * Only for actions, which have true randomness.
 */
export async function sealGrant(userId: string, accessToken: string, now: number): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const place = { purpose: PURPOSE, rowId: userId };
  return await sealSecret(secretsKeys(), place, `${now + GRANT_MS}.${accessToken}`, iv);
}

/** The token again. Throws `invalid_request` for a grant of somebody else, one that is over, or none at all. */
export async function openGrant(userId: string, grant: string, now: number): Promise<string> {
  const opened = await openSecret(secretsKeys(), { purpose: PURPOSE, rowId: userId }, grant);
  const [, expiresAt, accessToken] = (opened.ok && GRANT_FORM.exec(opened.secret)) || [];
  if (accessToken !== undefined && Number(expiresAt) > now) return accessToken;
  fail("invalid_request", { field: "grant", say: "The list of numbers is too old: look for them again." });
}
