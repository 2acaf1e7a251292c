import { z } from "zod";
import { developerError } from "../errors";
import { addressFields, resolveAddress } from "./address";
import { passIdentity } from "./call-context";
import { NestedFailure } from "./failure";
import { CALL_DEPTH_MAX } from "./limits";
import { isError } from "./release";
import type { RunRequest, RunResult } from "./run-function";

const nestedArgs = z.object({
  udfType: z.enum(["query", "mutation", "snapshotQuery"]),
  args: z.json(),
  transactionLimits: z.record(z.string(), z.number().nonnegative()).optional(),
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
  const kind = given.udfType === "mutation" ? "mutation" : "query";
  if (given.udfType !== "query" && outer.spec.kind === "query") {
    throw developerError(
      "InvalidFunctionCall",
      kind === "mutation"
        ? "Cannot call a Mutation function from a Query function"
        : "`useStaleSnapshot` is only supported in mutations, not queries.",
    );
  }
  if (depth + 1 > CALL_DEPTH_MAX) {
    throw developerError(
      "CallDepthExceeded",
      `Functions may call each other ${CALL_DEPTH_MAX} levels deep at most.`,
    );
  }
  const { component } = outer.spec;
  const address = resolveAddress(given, { release, component, transaction });
  const identity = passIdentity(context.identity, component, address.component);
  const spec = release.resolve(address, kind, identity, true);
  if (isError(spec)) throw new NestedFailure(spec);
  const before = kind === "mutation" ? transaction.savepoint() : null;
  const widen = transaction.narrowLimits(given.transactionLimits ?? {});
  const inner = given.udfType === "snapshotQuery" ? transaction.atSnapshot() : transaction;
  const call = run({
    ...outer,
    transaction: inner,
    spec,
    args: given.args,
    context: { ...context, identity },
    depth: depth + 1,
  });
  const result = await call.finally(widen);
  if (result.ok) return result.value;
  if (before !== null) transaction.rollbackTo(before);
  throw new NestedFailure(result.error);
}
