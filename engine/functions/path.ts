import { developerError } from "../errors";
import type { ComponentPath } from "../types";

/** A function of the push: module as the push names it, export name. */
export type FunctionPath = { module: string; name: string };

/** A function of the deployment: the component that it belongs to, "" for the app, and its path there. */
export type FunctionAddress = { component: ComponentPath; path: FunctionPath };

const MODULE = /^[A-Za-z0-9_./-]+$/;
const NAME = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/**
 * Understands `messages:list`, `messages.js:list`, `dir/messages:list` and `messages` (its default export).
 * Throws "developer" for anything else.
 */
export function parseFunctionPath(text: string): FunctionPath {
  const colon = text.lastIndexOf(":");
  const module = colon < 0 ? text : text.slice(0, colon);
  const name = colon < 0 ? "default" : text.slice(colon + 1);
  const clean = module.replace(/^\/+/, "");
  if (!MODULE.test(clean) || clean.split("/").includes("..") || !NAME.test(name)) {
    throw developerError("InvalidFunctionPath", `${JSON.stringify(text)} is not the path of a function.`);
  }
  return { module: clean.endsWith(".js") ? clean : `${clean}.js`, name };
}

/** `messages.js:list`: how the engine stores a path. */
export const canonicalPath = (path: FunctionPath): string => `${path.module}:${path.name}`;

/** `messages:list`: how a developer writes a path. */
export const shortPath = (path: FunctionPath): string => {
  const module = path.module.replace(/\.js$/, "");
  return path.name === "default" ? module : `${module}:${path.name}`;
};

/** The text that a caller sees where there is no such function, or none that he may call. */
export const missingFunction = (path: string, component: ComponentPath = ""): string =>
  `Could not find public function for '${path}'${inComponent(component)}. Did you forget to run \`npx convex dev\` or \`npx convex deploy\`?`;

/** How a component is named in texts for developers; nothing for the app. */
export const inComponent = (component: ComponentPath): string =>
  component === "" ? "" : ` in component '${component}'`;

/** Path of the component called `name` inside the one at `parent`. */
export const childPath = (parent: ComponentPath, name: string): ComponentPath =>
  parent === "" ? name : `${parent}/${name}`;
