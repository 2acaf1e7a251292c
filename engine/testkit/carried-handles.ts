import { HANDLE_SCHEME, type Handles, invalidHandle, noFunction } from "../functions/handles";
import { canonicalPath, type FunctionAddress, parseFunctionPath } from "../functions/path";
import type { Release } from "../functions/release";

/** A test has no push that could write rows for handles, so they carry their function themselves. */
export const carriedHandles = (release: Release): Handles => ({
  of(address) {
    if (release.find(address) === undefined) throw noFunction(address);
    return `${HANDLE_SCHEME}${address.component};${canonicalPath(address.path)}`;
  },
  addressOf: addressOfHandle,
});

/** The function that a handle of a test carries. Throws "developer". */
export function addressOfHandle(handle: string): FunctionAddress {
  const [, component, path] = /^function:\/\/([^;]*);(.+)$/.exec(handle) ?? [];
  if (component === undefined || path === undefined) throw invalidHandle(handle);
  return { component, path: parseFunctionPath(path) };
}
