import { developerError } from "./errors";
import type { JsonValue } from "./types";

/**
 * The one argument object of a call. Clients send a list of one; the object alone is understood too, and nothing
 * counts as `{}`. Throws a developer error `BadArgs` on more than one.
 */
export function singleArgument(args: JsonValue | undefined): JsonValue {
  if (!Array.isArray(args)) {
    return args ?? {};
  }
  if (args.length > 1) {
    throw developerError("BadArgs", "A function takes one argument object.");
  }
  return args[0] ?? {};
}
