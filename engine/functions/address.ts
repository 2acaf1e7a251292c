import { z } from "zod";
import { developerError } from "../errors";
import type { Transaction } from "../types";
import { type FunctionPath, parseFunctionPath } from "./path";

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

const HANDLE = "function://";
const OWN_FUNCTION = "_reference/function/";
const CHILD = "_reference/childComponent/";

/** The path that an address means. Handles are looked up in `transaction`. Throws "developer". */
export function pathOfAddress(address: Address, transaction: Transaction): FunctionPath {
  if (address.name !== undefined) {
    return address.name.startsWith(HANDLE)
      ? pathOfHandle(address.name, transaction)
      : parseFunctionPath(address.name);
  }
  if (address.functionHandle !== undefined) return pathOfHandle(address.functionHandle, transaction);
  const reference = address.reference ?? "";
  if (reference.startsWith(OWN_FUNCTION)) return parseFunctionPath(reference.slice(OWN_FUNCTION.length));
  if (reference.startsWith(CHILD)) {
    throw developerError(
      "ComponentsNotSupported",
      `${reference} belongs to a component. This backend does not run components yet.`,
    );
  }
  throw developerError("InvalidReference", `${JSON.stringify(reference)} is not a reference to a function.`);
}

function pathOfHandle(handle: string, transaction: Transaction): FunctionPath {
  const id = handle.slice(HANDLE.length).split("#")[0] ?? "";
  const row = handle.startsWith(HANDLE) ? transaction.system.get(id) : null;
  const path = row?.["path"];
  if (typeof path !== "string" || row?.["deleted"] === true) {
    throw developerError(
      "InvalidFunctionHandle",
      `${JSON.stringify(handle)} is not the handle of a function of this deployment.`,
    );
  }
  return parseFunctionPath(path);
}

/** The handle of a function. Rows are written by a push for every function, so that asking is a read. */
export function handleOf(path: string, transaction: Transaction): string {
  const [row] = transaction.system.list("_function_handles", "by_component_and_path", {
    equals: ["", path],
    limit: 1,
  });
  if (row === undefined || row["deleted"] === true) {
    throw developerError("FunctionNotFound", `There is no function ${path} to make a handle of.`);
  }
  return `${HANDLE}${row._id}#${path}`;
}
