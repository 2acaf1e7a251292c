import { z } from "zod";
import { developerError } from "../errors";
import { type Address, addressFields } from "../functions/address";
import { canonicalPath, parseFunctionPath } from "../functions/path";
import type { LiveRelease } from "./live-release";

/** System calls that name a function. */
const NAMING: ReadonlySet<string> = new Set([
  "1.0/runUdf",
  "1.0/schedule",
  "1.0/createFunctionHandle",
  "1.0/actions/query",
  "1.0/actions/mutation",
  "1.0/actions/action",
  "1.0/actions/schedule",
]);

const HANDLE = "function://";

const namingArgs = z.looseObject(addressFields);

/**
 * Loads the function that a system call names, so that the engine finds it, and turns a handle into a path. Answers
 * the arguments for the engine, JSON text.
 *
 * A push writes a row per function for its handles; a test has no push, so its handles carry the path themselves.
 */
export async function prepareCall(release: LiveRelease, op: string, argsJson: string): Promise<string> {
  if (!NAMING.has(op)) return argsJson;
  const { functionHandle, ...rest } = namingArgs.parse(JSON.parse(argsJson));
  const args = functionHandle === undefined ? rest : { ...rest, name: pathOfHandle(functionHandle) };
  await loadAddressed(release, args);
  return JSON.stringify(args);
}

/** Loads what an address names. Addresses that name nothing are for the engine to refuse. */
export async function loadAddressed(release: LiveRelease, address: Address): Promise<void> {
  if (address.name !== undefined) await release.load(parseFunctionPath(address.name));
}

/** Answer of `1.0/createFunctionHandle`, JSON text. */
export function handleAnswer(release: LiveRelease, argsJson: string): string {
  const { name = "" } = namingArgs.parse(JSON.parse(argsJson));
  const path = parseFunctionPath(name);
  if (release.find({ component: "", path }) === undefined) {
    throw developerError(
      "FunctionNotFound",
      `There is no function ${canonicalPath(path)} to make a handle of.`,
    );
  }
  return JSON.stringify(`${HANDLE}${canonicalPath(path)}`);
}

/** The path that a handle carries. */
export function pathOfHandle(handle: string): string {
  return handle.startsWith(HANDLE) ? handle.slice(HANDLE.length) : handle;
}
