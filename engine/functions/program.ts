import { createHash } from "node:crypto";
import { SourceMap } from "node:module";
import vm from "node:vm";
import { transform } from "esbuild";
import { developerError } from "../errors";

/** One module of a push, as the CLI sends it. */
export type PushedModule = {
  path: string;
  source: string;
  sourceMap: string | null;
  environment: "isolate" | "node";
};

/** A module as the engine runs it: CommonJS text, and the way back to the developer's lines. */
export type CompiledModule = {
  path: string;
  environment: "isolate" | "node";
  /** Source text of a function `(exports, require, module) => void`. */
  wrapped: string;
  map: string;
  sha256: string;
};

export type OriginalPlace = { file: string; line: number; column: number };

/** Scripts of modules carry this in front of their path, so that a stack tells them from the engine's own files. */
export const MODULE_SCHEME = "convex:/";

/** What the CLI compares to find out which modules changed. */
export const moduleHash = (module: Pick<PushedModule, "source" | "sourceMap">): string =>
  createHash("sha256")
    .update(module.source)
    .update(module.sourceMap ?? "")
    .digest("hex");

/**
 * Turns the ES modules of a push into CommonJS. `known` saves the work for modules that an earlier push had: the
 * answer is stored there by hash. Throws esbuild's error for a module that cannot be converted.
 */
export async function compileModules(
  modules: readonly PushedModule[],
  known: Map<string, CompiledModule>,
): Promise<CompiledModule[]> {
  return Promise.all(
    modules.map(async (module) => {
      const sha256 = moduleHash(module);
      const key = `${module.environment} ${module.path} ${sha256}`;
      const compiled = known.get(key) ?? (await compileModule(module, sha256));
      known.set(key, compiled);
      return compiled;
    }),
  );
}

async function compileModule(module: PushedModule, sha256: string): Promise<CompiledModule> {
  const source = module.source.replace(/\n\/\/# sourceMappingURL=\S*\s*$/, "\n");
  const inlineMap =
    module.sourceMap === null
      ? ""
      : `//# sourceMappingURL=data:application/json;base64,${Buffer.from(module.sourceMap).toString("base64")}`;
  const converted = transform(source + inlineMap, {
    format: "cjs",
    loader: "js",
    target: "node20",
    platform: "neutral",
    sourcemap: "external",
    sourcesContent: false,
    sourcefile: module.path,
    // `import()` becomes a `require` in a promise: a context has no loader of its own.
    supported: { "dynamic-import": false },
  });
  const { code, map } = await converted.catch((error: unknown) => {
    // Convex's text; CommonJS cannot wait while a module loads, and neither can a query.
    if (!/^.*Top-level await/m.test(String(error))) throw error;
    throw developerError(
      "InvalidModules",
      `Failed to analyze ${module.path}: Top-level awaits in source files are unsupported`,
    );
  });
  return {
    path: module.path,
    environment: module.environment,
    wrapped: `(function (exports, require, module) {"use strict";\n${code}\n})`,
    map,
    sha256,
  };
}

/** All modules of one push, ready to be instantiated in any number of contexts. */
export class Program {
  readonly #modules: ReadonlyMap<string, CompiledModule>;
  readonly #scripts = new Map<string, vm.Script>();
  readonly #maps = new Map<string, SourceMap>();

  constructor(modules: readonly CompiledModule[]) {
    this.#modules = new Map(modules.map((module) => [module.path, module]));
  }

  get modules(): readonly CompiledModule[] {
    return [...this.#modules.values()];
  }

  /** The script of an isolate module; null where the push has none of that path, or only one for Node. */
  script(path: string): vm.Script | null {
    const known = this.#scripts.get(path);
    if (known !== undefined) return known;
    const module = this.#modules.get(path);
    if (module === undefined || module.environment !== "isolate") return null;
    // The wrapper adds one line in front, hence the offset.
    const script = new vm.Script(module.wrapped, { filename: `${MODULE_SCHEME}${path}`, lineOffset: -1 });
    this.#scripts.set(path, script);
    return script;
  }

  /** The developer's file and line for a place in a compiled module (both counted from 1). */
  originalPlace(path: string, line: number, column: number): OriginalPlace | null {
    const module = this.#modules.get(path);
    if (module === undefined) return null;
    let map = this.#maps.get(path);
    if (map === undefined) {
      map = new SourceMap(JSON.parse(module.map));
      this.#maps.set(path, map);
    }
    const entry = map.findEntry(line - 1, column - 1);
    if (!("originalSource" in entry) || entry.originalSource === undefined) return null;
    return { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }
}
