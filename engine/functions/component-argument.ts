import type { JsonValue } from "../types";

/** Answer of the old system call `1.0/componentArgument`: `{value}`, or `{}` for an argument that was not given. */
export function componentArgument(args: { readonly [name: string]: JsonValue }, argsJson: string): string {
  const given: { name?: unknown } = JSON.parse(argsJson);
  const value =
    typeof given.name === "string" && Object.hasOwn(args, given.name) ? args[given.name] : undefined;
  return JSON.stringify(value === undefined ? {} : { value });
}
