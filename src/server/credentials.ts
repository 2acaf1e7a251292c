import { callerOfApiKey } from "./api-keys";
import type { Caller } from "./caller";

/** The credential that a request carries: as a bearer token, or in `X-API-Key` for clients that cannot send one. */
export function presentedCredential(headers: Headers): string | null {
  const authorization = headers.get("authorization");
  if (authorization === null) return headers.get("x-api-key")?.trim() ?? null;
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? null;
}

/**
 * The holder of a credential, or null for any that is malformed, unknown, revoked or expired. The HTTP endpoint and
 * the stdio server both ask here, so a kind of credential is known to both or to none. `address` is where the request
 * came from, which only the endpoint may know.
 * @throws BackendUnavailable when Convex does not answer
 */
export async function resolveCredential(text: string, address?: string): Promise<Caller | null> {
  return await callerOfApiKey(text, address);
}
