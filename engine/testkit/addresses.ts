import { z } from "zod";
import { type Address, addressFields } from "../functions/address";
import { childPath, type FunctionAddress, parseFunctionPath } from "../functions/path";
import type { ComponentPath } from "../types";
import { addressOfHandle } from "./carried-handles";
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

const CHILD = "_reference/childComponent/";

const namingArgs = z.looseObject(addressFields);

/** Loads the function that a system call names, so that the engine finds it. */
export async function loadNamed(
  release: LiveRelease,
  op: string,
  argsJson: string,
  component: ComponentPath,
): Promise<void> {
  if (!NAMING.has(op)) return;
  const address = addressIn(namingArgs.parse(JSON.parse(argsJson)), component);
  if (address !== null) await release.load(address);
}

/**
 * The function that an address in the code of `component` means, whether or not there is one. Null for what names
 * nothing at all, which the engine refuses.
 */
export function addressIn(
  { name, reference, functionHandle }: Address,
  component: ComponentPath,
): FunctionAddress | null {
  if (functionHandle !== undefined) return addressOfHandle(functionHandle);
  if (name !== undefined) return { component, path: parseFunctionPath(name) };
  if (reference?.startsWith(CHILD) !== true) return null;
  const [child = "", ...parts] = reference.slice(CHILD.length).split("/");
  const path = { module: `${parts.slice(0, -1).join("/")}.js`, name: parts.at(-1) ?? "" };
  return { component: childPath(component, child), path };
}
