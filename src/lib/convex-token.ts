import { SECOND_MS } from "#shared/time";

/** Waiting time before the next try, by number of tries so far: quick at first, then one every 15 seconds. */
const RETRY_DELAYS_MS = [0.5, 1, 2, 5, 15].map((seconds) => seconds * SECOND_MS);

const ANSWER_DEADLINE_MS = 20 * SECOND_MS;

/**
 * The token that shows this person's identity to the backend, or null when nobody is signed in any more. A server
 * that cannot be reached, or is starting, says nothing about who is signed in; it is asked again until it answers.
 */
export async function fetchConvexToken(): Promise<string | null> {
  for (let tries = 0; ; tries++) {
    const answer = await askForToken();
    if (answer !== "unreachable") return answer.token;
    const delayMs = RETRY_DELAYS_MS[Math.min(tries, RETRY_DELAYS_MS.length - 1)];
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

async function askForToken(): Promise<{ token: string | null } | "unreachable"> {
  try {
    const response = await fetch("/api/auth/convex-token", {
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
    });
    if (response.status === 401) return { token: null };
    if (!response.ok) return "unreachable";
    return readToken(await response.json());
  } catch {
    return "unreachable";
  }
}

function readToken(body: unknown): { token: string } | "unreachable" {
  const hasToken = typeof body === "object" && body !== null && "token" in body;
  return hasToken && typeof body.token === "string" ? { token: body.token } : "unreachable";
}
