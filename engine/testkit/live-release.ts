import { nothingDeployed } from "../deploy/stored-deployment";
import { developerError } from "../errors";
import type { ActionBridge } from "../functions/actions/host";
import { canonicalPath, type FunctionPath } from "../functions/path";
import { type FunctionSpec, Release } from "../functions/release";
import { analyzeExports } from "../functions/sandbox/analyze";
import type { FunctionReport } from "../functions/sandbox/port";
import type { JsonValue } from "../types";
import { parseValidator } from "../values/validator";

/** What `import.meta.glob` of the functions folder gives. */
export type ModuleGlob = Record<string, () => Promise<unknown>>;

type Exports = { [name: string]: unknown };

const isExports = (value: unknown): value is Exports => typeof value === "object" && value !== null;

/**
 * The functions of a test as the engine knows those of a push. Modules are live objects of the test and are loaded
 * when one of their functions is first asked for, so `load` comes before every lookup by path.
 */
export class LiveRelease extends Release {
  readonly #specs: Map<string, FunctionSpec>;
  readonly #registered = new Map<string, object>();
  readonly #loaders: ReadonlyMap<string, () => Promise<unknown>>;
  readonly #loaded = new Map<string, Exports>();

  /** Throws an error with a sentence where the folder of the functions cannot be told from the glob. */
  constructor(glob: ModuleGlob | undefined, bridge: ActionBridge) {
    const specs = new Map<string, FunctionSpec>();
    const nothing = nothingDeployed();
    const app = { ...nothing.app, functions: specs };
    super({ ...nothing, app, components: new Map([["", app]]) }, {}, "reuse", bridge);
    this.#specs = specs;
    this.#loaders = loadersOf(glob);
  }

  /** Exports of a module, evaluated if need be; null where the glob has none of that path (`dir/messages.js`). */
  async exportsOf(module: string): Promise<Exports | null> {
    const loader = this.#loaders.get(module.replace(/\.js$/, ""));
    if (loader === undefined) return null;
    const exports = await loader();
    if (!isExports(exports)) return null;
    if (this.#loaded.get(module) !== exports) this.#analyze(module, exports);
    return exports;
  }

  /** Makes the function at a path known, if there is one. */
  async load(path: FunctionPath): Promise<void> {
    await this.exportsOf(path.module);
  }

  /** The function itself. */
  registered(spec: FunctionSpec): object {
    const found = this.#registered.get(canonicalPath(spec.path));
    if (found === undefined) throw new Error(`${canonicalPath(spec.path)} is not loaded.`);
    return found;
  }

  #analyze(module: string, exports: Exports): void {
    const report = analyzeExports(exports);
    if (!report.ok) throw developerError("InvalidModules", `${module}: ${report.thrown.message}`);
    for (const found of report.functions) {
      const spec = specOf(module, found);
      this.#specs.set(canonicalPath(spec.path), spec);
      this.#registered.set(canonicalPath(spec.path), Object(exports[found.name]));
    }
    this.#loaded.set(module, exports);
  }
}

const specOf = (module: string, report: FunctionReport): FunctionSpec => {
  const returns: JsonValue = JSON.parse(report.returns);
  return {
    component: "",
    path: { module, name: report.name },
    kind: report.kind,
    visibility: report.visibility ?? "internal",
    environment: "isolate",
    args: parseValidator(JSON.parse(report.args)),
    returns: returns === null ? null : parseValidator(returns),
  };
};

/** Loaders by module path without extension, from the folder that holds `_generated`. */
function loadersOf(glob: ModuleGlob | undefined): Map<string, () => Promise<unknown>> {
  if (glob === undefined) {
    throw new Error(
      'convexTest() needs the modules of your functions: pass import.meta.glob("./**/*.*s") from a file at the root of the functions folder.',
    );
  }
  const marker = Object.keys(glob).find((path) => path.includes("_generated"));
  if (marker === undefined) {
    throw new Error(
      'The modules given to convexTest() have no "_generated" folder, which tells where the functions folder begins: run `npx convex codegen`, and let import.meta.glob include its files.',
    );
  }
  const root = marker.slice(0, marker.indexOf("_generated"));
  return new Map(
    Object.entries(glob)
      .filter(([path]) => path.startsWith(root))
      .map(([path, loader]) => [path.slice(root.length).replace(/\.[^.]+$/, ""), loader]),
  );
}
