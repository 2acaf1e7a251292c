import { jsonToConvex } from "convex/values";
import { type FunctionError, ofThrown } from "../functions/failure";
import { Program } from "../functions/program";
import { describeThrown } from "../functions/sandbox/thrown";

/** An error of a function that keeps what was thrown: a test wants that very object. */
type LiveError = FunctionError & { thrown: unknown };

/** Functions of a test have no compiled modules; their stacks lead to the sources already. */
const NO_PROGRAM = new Program([]);

/** A value that a function threw, as the engine hands errors on. */
export const liveError = (thrown: unknown): LiveError => ({
  ...ofThrown(describeThrown(thrown), NO_PROGRAM),
  thrown,
});

/**
 * What a failed call throws in the test: what the function threw, with the data of a ConvexError as it was before
 * `convex/server` encoded it. Errors that the engine made become plain ones.
 */
export function toThrow(error: FunctionError): unknown {
  if (!("thrown" in error)) return new Error(error.message);
  const { thrown } = error;
  if (typeof thrown === "object" && thrown !== null && Symbol.for("ConvexError") in thrown) {
    const data: unknown = Reflect.get(thrown, "data");
    if (typeof data === "string") Reflect.set(thrown, "data", jsonToConvex(JSON.parse(data)));
  }
  return thrown;
}
