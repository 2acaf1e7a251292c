import type { HostPort } from "./port";

export type Modules = {
  load(path: string): { [name: string]: unknown };
  has(path: string): boolean;
};

/** `./_deps/X.js` as `dir/module.js` writes it, as a path from the root of the push. */
export function resolveModule(from: string, specifier: string): string {
  if (!specifier.startsWith("./") && !specifier.startsWith("../")) return specifier;
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** The `require` of a realm: modules of the push and nothing else. Each is evaluated once in the realm's life. */
export function createModules(load: HostPort["load"]): Modules {
  const loaded = new Map<string, { exports: { [name: string]: unknown } }>();
  const modules: Modules = {
    has: (path) => loaded.has(path),
    load(path) {
      const known = loaded.get(path);
      if (known !== undefined) return known.exports;
      const body = load(path);
      if (body === null) throw new Error(`Could not resolve "${path}": the push has no such module.`);
      const module = { exports: {} };
      loaded.set(path, module);
      try {
        body(module.exports, (specifier) => modules.load(resolveModule(path, specifier)), module);
      } catch (error) {
        loaded.delete(path);
        throw error;
      }
      return module.exports;
    },
  };
  return modules;
}
