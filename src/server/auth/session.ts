import { headers } from "next/headers";
import { auth } from "./better-auth";
import { withOutagesSeen } from "./outage";

export type SessionUser = { id: string; email: string; name: string };

/**
 * The signed-in person of the page that is being rendered, or null. A page cannot set cookies, so the session is
 * not renewed here; the browser's own calls do that.
 * @throws BackendUnavailable when Convex does not answer
 */
export async function currentSession(): Promise<{ user: SessionUser } | null> {
  const { api } = await auth();
  const asked = { headers: await headers(), query: { disableRefresh: true } };
  const session = await withOutagesSeen(
    () => api.getSession(asked),
    (found) => found !== null,
  );
  if (session === null) return null;
  const { id, email, name } = session.user;
  return { user: { id, email, name } };
}
