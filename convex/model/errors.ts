import { ConvexError, type Value } from "convex/values";
import { appError, type ErrorCode, type ErrorDetails } from "#shared/errors";

/**
 * Ends the function with an error of the registry in `shared/errors`. Everything written so far is rolled back, so it
 * is for broken preconditions; an expected "no" is returned as a refusal instead.
 */
export function fail(code: ErrorCode, details: ErrorDetails = {}): never {
  throw new ConvexError<Record<string, Value>>({ ...definedOnly(appError(code, details)) });
}

function definedOnly(data: ReturnType<typeof appError>): Record<string, Value> {
  const out: Record<string, Value> = {};
  for (const [name, value] of Object.entries(data)) {
    if (value === undefined) continue;
    out[name] = typeof value === "object" && value !== null ? [...value] : value;
  }
  return out;
}
