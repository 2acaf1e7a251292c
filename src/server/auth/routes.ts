import { appError, errorSpec } from "#shared/errors";
import { AppError, BackendUnavailable } from "../app-error";
import { mintIdentityToken } from "../identity";
import { logError } from "../log";
import { jsonResponse } from "../route";
import { auth } from "./better-auth";
import { withOutagesSeen } from "./outage";

/** What Better Auth may be asked from outside. It has many more endpoints, and each later one is opened by name. */
const OPEN_PATHS: ReadonlySet<string> = new Set([
  "/sign-in/email",
  "/sign-up/email",
  "/sign-out",
  "/get-session",
  "/list-sessions",
  "/revoke-session",
  "/revoke-sessions",
  "/revoke-other-sessions",
  "/change-password",
]);

const BASE_PATH = "/api/auth";

/** Serves Better Auth's open endpoints; their answers and refusals are its own, `{code, message}` for a refusal. */
export async function answerAuth(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (!OPEN_PATHS.has(pathname.slice(BASE_PATH.length))) return refusal(AppError.of("not_found"));
  try {
    const { handler } = await auth();
    const response = await withOutagesSeen(
      () => handler(request),
      ({ ok }) => ok,
    );
    return response.status === 500 ? refusal(AppError.of("internal")) : response;
  } catch (error) {
    return refusal(error);
  }
}

/** Gives a signed-in browser the token with which it speaks to Convex, and renews its session on the way. */
export async function answerConvexToken(request: Request): Promise<Response> {
  try {
    const { api } = await auth();
    const { response: session, headers } = await withOutagesSeen(
      () => api.getSession({ headers: request.headers, returnHeaders: true }),
      ({ response }) => response !== null,
    );
    if (session === null) return refusal(AppError.of("unauthorized"));
    return jsonResponse(await mintIdentityToken({ use: "user", userId: session.user.id }), { headers });
  } catch (error) {
    return refusal(error);
  }
}

/** Errors in the form of Better Auth's own, so that the sign-in page has one kind to read. */
function refusal(error: unknown): Response {
  const data = error instanceof AppError ? error.data : appError("internal", { id: logError("auth", error) });
  if (error instanceof BackendUnavailable) logError("auth", error);
  return jsonResponse(data, { status: errorSpec(data.code).status });
}
