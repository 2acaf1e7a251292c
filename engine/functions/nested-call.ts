import { z } from "zod";
import { developerError } from "../errors";
import { addressFields, pathOfAddress } from "./address";
import { NestedFailure } from "./failure";
import { CALL_DEPTH_MAX } from "./limits";
import { canonicalPath } from "./path";
import { isError } from "./release";
import type { RunRequest, RunResult } from "./run-function";

const nestedArgs = z.object({
  udfType: z.enum(["query", "mutation", "snapshotQuery"]),
  args: z.json(),
  ...addressFields,
});

/**
 * `ctx.runQuery` and `ctx.runMutation` of a function that `outer` runs: the same transaction and clock, writes that
 * can be undone alone. Answers encoded JSON. Throws NestedFailure where the called function failed.
 *
 * @param run runs the function that is called
 */
export async function runNested(
  outer: RunRequest,
  argsJson: string,
  run: (request: RunRequest) => Promise<RunResult>,
): Promise<string> {
  const { transaction, release, context, depth } = outer;
  const given = nestedArgs.parse(JSON.parse(argsJson));
  if (given.udfType === "snapshotQuery") {
    throw developerError("NotSupported", "`useStaleSnapshot` is not supported by this backend.");
  }
  if (given.udfType === "mutation" && outer.spec.kind === "query") {
    throw developerError("MutationInQuery", "Cannot run a mutation from a query.");
  }
  if (depth + 1 > CALL_DEPTH_MAX) {
    throw developerError(
      "CallDepthExceeded",
      `Functions may call each other ${CALL_DEPTH_MAX} levels deep at most.`,
    );
  }
  const path = canonicalPath(pathOfAddress(given, transaction));
  const spec = release.resolve(path, given.udfType, context.identity, true);
  if (isError(spec)) throw new NestedFailure(spec);
  const before = given.udfType === "mutation" ? transaction.savepoint() : null;
  const result = await run({ ...outer, spec, args: given.args, depth: depth + 1 });
  if (result.ok) return result.value;
  if (before !== null) transaction.rollbackTo(before);
  throw new NestedFailure(result.error);
}
