import { EngineError } from "../errors";

/** A refusal with a status that follows from HTTP itself, not from one of the engine's kinds of failure. */
export class HttpError extends Error {
  override readonly name = "HttpError";

  /**
   * @param status 4xx or 5xx
   * @param code short machine name, PascalCase as on Convex
   * @param message a sentence for the developer
   */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

export type ErrorAnswer = { status: number; code: string; message: string; headers: Record<string, string> };

const STATUS_OF_KIND = {
  developer: 400,
  unauthorized: 401,
  // Convex answers both with 503, which its clients and proxies understand as "again, later".
  conflict: 503,
  overloaded: 503,
  internal: 500,
} as const;

/** A wrong admin key is 403 on Convex; on any other status `convex logs` would try again for ever. */
const FORBIDDEN_CODES: ReadonlySet<string> = new Set(["BadDeployKey"]);

/** What a client may hear of `error`; null for a defect, whose text stays in the log. */
export function errorAnswer(error: unknown): ErrorAnswer | null {
  if (error instanceof HttpError) {
    return { status: error.status, code: error.code, message: error.message, headers: error.headers };
  }
  if (error instanceof EngineError && error.kind !== "internal") {
    const status = FORBIDDEN_CODES.has(error.code) ? 403 : STATUS_OF_KIND[error.kind];
    return { status, code: error.code, message: error.message, headers: {} };
  }
  return null;
}
