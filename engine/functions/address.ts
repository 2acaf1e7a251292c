import { z } from "zod";
import { developerError } from "../errors";
import type { ComponentPath, Transaction } from "../types";
import { HANDLE_SCHEME } from "./handles";
import { childPath, type FunctionAddress, inComponent, parseFunctionPath } from "./path";
import type { Release } from "./release";

/** How `convex/server` names a function in a system call: exactly one of the three. */
export const addressFields = {
  name: z.string().optional(),
  reference: z.string().optional(),
  functionHandle: z.string().optional(),
};

export type Address = {
  name?: string | undefined;
  reference?: string | undefined;
  functionHandle?: string | undefined;
};

/** Who names a function: the component that its code is in, and where handles are looked up. */
export type Namer = { release: Release; component: ComponentPath; transaction: Transaction };

const OWN_FUNCTION = "_reference/function/";
const CHILD = "_reference/childComponent/";
const ARGUMENT = "_reference/componentArgument/";

/**
 * The function that an address means. A component names its own functions and the public ones of the components that
 * it mounts; it reaches any other by a handle alone. Throws "developer".
 */
export function resolveAddress(address: Address, namer: Namer): FunctionAddress {
  const { release, component, transaction } = namer;
  const own = (path: string): FunctionAddress => ({ component, path: parseFunctionPath(path) });
  if (address.name !== undefined) {
    return address.name.startsWith(HANDLE_SCHEME)
      ? release.handles.addressOf(address.name, transaction)
      : own(address.name);
  }
  if (address.functionHandle !== undefined) {
    return release.handles.addressOf(address.functionHandle, transaction);
  }
  const reference = address.reference ?? "";
  if (reference.startsWith(OWN_FUNCTION)) return own(reference.slice(OWN_FUNCTION.length));
  if (reference.startsWith(CHILD)) return ofChild(reference.slice(CHILD.length), namer);
  const why = reference.startsWith(ARGUMENT) ? "an argument, not" : "not a reference to";
  throw developerError("InvalidReference", `${JSON.stringify(reference)} is ${why} a function.`);
}

/** `name/dir/module/export` of a component mounted in the one that asks. */
function ofChild(reference: string, { release, component }: Namer): FunctionAddress {
  const [name = "", ...parts] = reference.split("/");
  const parent = release.deployment.components.get(component);
  if (parent === undefined || !parent.children.includes(name)) {
    throw developerError(
      "InvalidReference",
      `Child component ${JSON.stringify(name)} not found${inComponent(component)}.`,
    );
  }
  const path = { module: `${parts.slice(0, -1).join("/")}.js`, name: parts.at(-1) ?? "" };
  const address = { component: childPath(component, name), path };
  if (parts.length < 2 || release.find(address)?.visibility !== "public") {
    throw developerError(
      "InvalidReference",
      `Child component ${JSON.stringify(name)} does not export ${JSON.stringify(parts.join("."))}.`,
    );
  }
  return address;
}
