import { nearLimit } from "../transaction/usage";
import type { Transaction } from "../types";
import type { CallContext } from "./call-context";
import { argsBytesMax } from "./check-values";
import { RESULT_BYTES_MAX, USER_TIME_MS_MAX } from "./limits";
import type { FunctionSpec } from "./release";

/** Share of the time above which Convex warns. */
const WARNING_SHARE = 0.8;

/** The warnings that Convex writes into the log of a query or mutation which comes near a limit, in its order. */
export function warningsOf(spec: FunctionSpec, { used }: CallContext, transaction: Transaction): string[] {
  const { argsBytes, resultBytes, userMs } = used;
  const lines = [
    nearLimit("Large size of the function arguments", argsBytes, argsBytesMax(spec), " bytes"),
    ...transaction.limitWarnings(),
    nearLimit("Large size of the function return value", resultBytes, RESULT_BYTES_MAX, " bytes"),
    userMs > USER_TIME_MS_MAX * WARNING_SHARE
      ? `Function execution took a long time. (maximum duration: ${USER_TIME_MS_MAX / 1000}s, actual duration: ${userMs.toFixed(0)}ms).`
      : null,
  ];
  return lines.filter((line) => line !== null);
}
