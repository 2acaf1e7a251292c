import { register } from "node:module";

// The suite imports `globSync`, which `node:fs` has from version 22 on. It is needed by commands that are not run
// here, so on older versions it is enough that the import succeeds.
const replacement = `
export * from "node:fs";
export { default } from "node:fs";
export function globSync() { throw new Error("This version of Node has no globSync."); }
`;
const hooks = `
const REPLACEMENT = ${JSON.stringify(`data:text/javascript,${encodeURIComponent(replacement)}`)};
export async function resolve(specifier, context, next) {
  const isFs = specifier === "fs" || specifier === "node:fs";
  const bySuite = context.parentURL?.includes("@modelcontextprotocol/conformance/dist/") === true;
  return isFs && bySuite ? { url: REPLACEMENT, shortCircuit: true } : await next(specifier, context);
}
`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
