import type { FunctionReturnType } from "convex/server";
import { api } from "../../convex/_generated/api";
import { queryAs } from "./convex";
import { isInstanceClaimed } from "./instance";

type Stored = NonNullable<FunctionReturnType<typeof api.invites.read>>;
type Open = Extract<Stored, { state: "open" }>;
type Joined = Extract<Stored, { state: "joined" }>;

/** What the link of an invitation is to whoever opened it. */
export type Invitation =
  | { state: "open" | "yours"; accountName: string; email: string; role: Open["role"] }
  /** Somebody is signed in with another address than the invited one. */
  | { state: "of_another"; accountName: string; email: string; signedInAs: string }
  | Joined
  | { state: "used" | "revoked" | "expired" | "unknown" | "not_set_up" };

/** 32 bytes in base64url; whatever else stands in a link or header is no token and is not looked up. */
const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/;

export const isInviteToken = (text: string): boolean => TOKEN_FORM.test(text);

/**
 * Reads the invitation of a link for the signed-in person, or for nobody (null), at `now` (ms).
 * @throws BackendUnavailable when Convex does not answer
 */
export async function readInvitation(
  token: string,
  user: { id: string; email: string } | null,
  now: number,
): Promise<Invitation> {
  if (!isInviteToken(token)) return { state: "unknown" };
  const stored = await queryAs({ use: "service" }, api.invites.read, {
    token,
    ...(user !== null && { userId: user.id }),
  });
  if (stored === null) return { state: "unknown" };
  if (stored.state !== "open") return stored;
  const { accountName, email, role, expiresAt } = stored;
  if (expiresAt <= now) return { state: "expired" };
  if (user === null) {
    return (await isInstanceClaimed())
      ? { state: "open", accountName, email, role }
      : { state: "not_set_up" };
  }
  if (user.email.toLowerCase() !== email)
    return { state: "of_another", accountName, email, signedInAs: user.email };
  return { state: "yours", accountName, email, role };
}
