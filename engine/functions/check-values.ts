import { EngineError } from "../errors";
import type { Catalog, JsonValue } from "../types";
import { checkValue } from "../values/encoded";
import { formatBytes } from "../values/limits";
import { type ValidatorTables, validateValue } from "../values/validator";
import { type FunctionError, plainError } from "./failure";
import { ARGS_BYTES_MAX, NODE_ARGS_BYTES_MAX, RESULT_BYTES_MAX } from "./limits";
import { canonicalPath } from "./path";
import type { FunctionSpec } from "./release";

const tablesOf = ({ component }: FunctionSpec, catalog: Catalog): ValidatorTables => ({
  tableNumber: (table) => catalog.tableNumber(component, table),
  tableName: (number) =>
    catalog.tableNames(component).find((table) => catalog.tableNumber(component, table) === number) ?? null,
});

/** `size` is in bytes, by Convex's formula. */
export type Checked = { ok: true; size: number } | { ok: false; error: FunctionError };

const refused = (message: string): Checked => ({ ok: false, error: plainError(message) });

export const argsBytesMax = (spec: FunctionSpec): number =>
  spec.environment === "node" ? NODE_ARGS_BYTES_MAX : ARGS_BYTES_MAX;

/** Checks the one argument object of a call: an ordinary value, not too large, as the validator wants it. */
export function checkArgs(spec: FunctionSpec, args: JsonValue, catalog: Catalog): Checked {
  const path = canonicalPath(spec.path);
  const size = sizeOf(args);
  if (typeof size === "string") return refused(`Invalid arguments for ${path}: ${size}`);
  const limit = argsBytesMax(spec);
  if (size > limit) {
    return refused(
      `Arguments for ${path} are too large (actual: ${formatBytes(size)}, limit: ${formatBytes(limit)})`,
    );
  }
  const wrong = validateValue(spec.args, args, tablesOf(spec, catalog));
  return wrong === null ? { ok: true, size } : refused(`ArgumentValidationError: ${wrong}`);
}

/** Checks what a function returned, as JSON text. */
export function checkResult(spec: FunctionSpec, value: string, catalog: Catalog): Checked {
  const json: JsonValue = JSON.parse(value);
  const path = canonicalPath(spec.path);
  const size = sizeOf(json);
  if (typeof size === "string") return refused(`Function ${path} return value invalid: ${size}`);
  if (size > RESULT_BYTES_MAX) {
    return refused(
      `Function ${path} return value is too large (actual: ${formatBytes(size)}, limit: ${formatBytes(RESULT_BYTES_MAX)})`,
    );
  }
  if (spec.returns === null) return { ok: true, size };
  const wrong = validateValue(spec.returns, json, tablesOf(spec, catalog));
  return wrong === null ? { ok: true, size } : refused(`ReturnsValidationError: ${wrong}`);
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
