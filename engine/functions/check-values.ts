import { EngineError } from "../errors";
import type { Catalog, JsonValue } from "../types";
import { checkValue } from "../values/encoded";
import { type ValidatorTables, validateValue } from "../values/validator";
import { type FunctionError, plainError } from "./failure";
import { ARGS_BYTES_MAX, NODE_ARGS_BYTES_MAX, RESULT_BYTES_MAX } from "./limits";
import { canonicalPath } from "./path";
import type { FunctionSpec } from "./release";

const tablesOf = (catalog: Catalog): ValidatorTables => ({
  tableNumber: (table) => catalog.tableNumber("", table),
  tableName: (number) =>
    catalog.tableNames("").find((table) => catalog.tableNumber("", table) === number) ?? null,
});

const MIB = 1024 * 1024;

/** Checks the one argument object of a call: an ordinary value, not too large, as the validator wants it. */
export function checkArgs(spec: FunctionSpec, args: JsonValue, catalog: Catalog): FunctionError | null {
  const path = canonicalPath(spec.path);
  const size = sizeOf(args);
  if (typeof size === "string") return plainError(`Invalid arguments for ${path}: ${size}`);
  const limit = spec.environment === "node" ? NODE_ARGS_BYTES_MAX : ARGS_BYTES_MAX;
  if (size > limit) {
    const actual = `${(size / MIB).toFixed(2)} MiB`;
    return plainError(`Arguments for ${path} are too large (actual: ${actual}, limit: ${limit / MIB} MiB)`);
  }
  const wrong = validateValue(spec.args, args, tablesOf(catalog));
  return wrong === null ? null : plainError(`ArgumentValidationError: ${wrong}`);
}

/** Checks what a function returned, as JSON text. */
export function checkResult(spec: FunctionSpec, value: string, catalog: Catalog): FunctionError | null {
  const json: JsonValue = JSON.parse(value);
  const path = canonicalPath(spec.path);
  const size = sizeOf(json);
  if (typeof size === "string") return plainError(`Function ${path} return value invalid: ${size}`);
  if (size > RESULT_BYTES_MAX) {
    const actual = `${(size / MIB).toFixed(2)} MiB`;
    return plainError(
      `Function ${path} return value is too large (actual: ${actual}, limit: ${RESULT_BYTES_MAX / MIB} MiB)`,
    );
  }
  if (spec.returns === null) return null;
  const wrong = validateValue(spec.returns, json, tablesOf(catalog));
  return wrong === null ? null : plainError(`ReturnsValidationError: ${wrong}`);
}

/** Size of a value by Convex's formula, or why it is none. */
function sizeOf(value: JsonValue): number | string {
  try {
    return checkValue(value).size;
  } catch (error) {
    if (error instanceof EngineError && error.kind === "developer") return error.message;
    throw error;
  }
}
