import { httpError } from "#shared/errors";
import { AppError } from "./app-error";
import { logError } from "./log";

/** JSON that no cache may keep; everything that the routes answer depends on who asks or on the moment. */
export function jsonResponse(body: unknown, init: ResponseInit = {}): Response {
  const headers = new Headers(init.headers);
  headers.set("cache-control", "no-store");
  return Response.json(body, { ...init, headers });
}

/** The answer for an error: ours with its status and safe sentence, any other as 500 with the id of its log line. */
export function errorResponse(where: string, error: unknown): Response {
  const known = error instanceof AppError ? error : AppError.of("internal", { id: logError(where, error) });
  const { status, body } = httpError(known.data);
  const headers: HeadersInit = status === 503 ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {};
  return jsonResponse(body, { status, headers });
}

/** A restarting backend is back within seconds. */
const RETRY_AFTER_SECONDS = 5;

/** Makes a route handler that answers its errors instead of throwing them. `where` names the route in the log. */
export function withErrors(
  where: string,
  handler: (request: Request) => Promise<Response>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      return await handler(request);
    } catch (error) {
      return errorResponse(where, error);
    }
  };
}
