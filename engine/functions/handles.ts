import { developerError } from "../errors";
import type { Transaction } from "../types";
import { canonicalPath, type FunctionAddress, inComponent, parseFunctionPath } from "./path";

/** How the functions of a release become handles, and handles functions again. Both throw "developer". */
export type Handles = {
  of(address: FunctionAddress, transaction: Transaction): string;
  addressOf(handle: string, transaction: Transaction): FunctionAddress;
};

export const HANDLE_SCHEME = "function://";

/** Rows are written by a push for every function, so that asking for a handle is a read. */
export const storedHandles: Handles = {
  of({ component, path }, transaction) {
    const canonical = canonicalPath(path);
    const [row] = transaction.system.list("_function_handles", "by_component_and_path", {
      equals: [component, canonical],
      limit: 1,
    });
    if (row === undefined || row["deleted"] === true) throw noFunction({ component, path });
    return `${HANDLE_SCHEME}${row._id}#${canonical}`;
  },

  addressOf(handle, transaction) {
    const id = handle.slice(HANDLE_SCHEME.length).split("#")[0] ?? "";
    const row = handle.startsWith(HANDLE_SCHEME) ? transaction.system.get(id) : null;
    const path = row?.["path"];
    const component = row?.["component"];
    if (typeof path !== "string" || typeof component !== "string" || row?.["deleted"] === true) {
      throw invalidHandle(handle);
    }
    return { component, path: parseFunctionPath(path) };
  },
};

export const noFunction = ({ component, path }: FunctionAddress) =>
  developerError(
    "FunctionNotFound",
    `There is no function ${canonicalPath(path)}${inComponent(component)} to make a handle of.`,
  );

export const invalidHandle = (handle: string) =>
  developerError(
    "InvalidFunctionHandle",
    `${JSON.stringify(handle)} is not the handle of a function of this deployment.`,
  );
