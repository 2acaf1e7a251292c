import { nothingDeployed } from "../deploy/stored-deployment";
import { developerError } from "../errors";
import type { ActionBridge } from "../functions/actions/host";
import type { Handles } from "../functions/handles";
import { Mount } from "../functions/mount";
import { canonicalPath, type FunctionAddress } from "../functions/path";
import { type Component, type FunctionSpec, Release } from "../functions/release";
import { analyzeExports } from "../functions/sandbox/analyze";
import type { FunctionReport } from "../functions/sandbox/port";
import type { ComponentPath, JsonValue } from "../types";
import { parseValidator } from "../values/validator";
import { carriedHandles } from "./carried-handles";

/** What `import.meta.glob` of the functions folder gives. */
export type ModuleGlob = Record<string, () => Promise<unknown>>;

type Exports = { [name: string]: unknown };

const isExports = (value: unknown): value is Exports => typeof value === "object" && value !== null;

/** The code of one component: loaders of its modules, and what was loaded so far. */
type LiveCode = {
  loaders: ReadonlyMap<string, () => Promise<unknown>>;
  loaded: Map<string, Exports>;
  specs: Map<string, FunctionSpec>;
  registered: Map<string, object>;
};

/**
 * The functions of a test as the engine knows those of a push. Modules are live objects of the test and are loaded
 * when one of their functions is first asked for, so `load` comes before every lookup by path.
 */
export class LiveRelease extends Release {
  override readonly handles: Handles;
  readonly #components: Map<ComponentPath, Component>;
  readonly #code = new Map<ComponentPath, LiveCode>();
  readonly #bridge: ActionBridge;

  /** Throws an error with a sentence where the folder of the functions cannot be told from the glob. */
  constructor(glob: ModuleGlob | undefined, bridge: ActionBridge) {
    const components = new Map<ComponentPath, Component>();
    super({ ...nothingDeployed(), components }, {}, "reuse", bridge);
    this.#components = components;
    this.#bridge = bridge;
    this.handles = carriedHandles(this);
    this.mount("", glob);
  }

  /** Adds a component, at a path like `name` or `outer/name`. The app itself is at "". */
  mount(path: ComponentPath, glob: ModuleGlob | undefined): void {
    const code: LiveCode = {
      loaders: loadersOf(glob),
      loaded: new Map(),
      specs: new Map(),
      registered: new Map(),
    };
    this.#code.set(path, code);
    const components = this.#components;
    components.set(path, {
      ...nothingDeployed().app,
      path,
      functions: code.specs,
      // Components may be registered in any order.
      get children() {
        return [...components.keys()].filter((other) => parentOf(other) === path).map(nameOf);
      },
    });
  }

  override mounted(path: ComponentPath): Mount | undefined {
    const component = this.#components.get(path);
    const setting = { env: {}, isolation: "reuse", bridge: this.#bridge } as const;
    return component === undefined ? undefined : new Mount(this.deployment, component, setting);
  }

  /** Exports of a module, evaluated if need be; null where the glob has none of that path (`dir/messages.js`). */
  async exportsOf(component: ComponentPath, module: string): Promise<Exports | null> {
    const code = this.#code.get(component);
    const loader = code?.loaders.get(module.replace(/\.js$/, ""));
    if (code === undefined || loader === undefined) return null;
    const exports = await loader();
    if (!isExports(exports)) return null;
    if (code.loaded.get(module) !== exports) analyze(code, { component, module, exports });
    return exports;
  }

  /** Makes the function at an address known, if there is one. */
  async load({ component, path }: FunctionAddress): Promise<void> {
    await this.exportsOf(component, path.module);
  }

  /** The function itself. */
  registered(spec: FunctionSpec): object {
    const found = this.#code.get(spec.component)?.registered.get(canonicalPath(spec.path));
    if (found === undefined) throw new Error(`${canonicalPath(spec.path)} is not loaded.`);
    return found;
  }
}

const parentOf = (path: ComponentPath): ComponentPath | null =>
  path === "" ? null : path.split("/").slice(0, -1).join("/");
const nameOf = (path: ComponentPath): string => path.split("/").at(-1) ?? "";

function analyze(
  code: LiveCode,
  { component, module, exports }: { component: ComponentPath; module: string; exports: Exports },
): void {
  const report = analyzeExports(exports);
  if (!report.ok) throw developerError("InvalidModules", `${module}: ${report.thrown.message}`);
  for (const found of report.functions) {
    const spec = specOf({ component, path: { module, name: found.name } }, found);
    code.specs.set(canonicalPath(spec.path), spec);
    code.registered.set(canonicalPath(spec.path), Object(exports[found.name]));
  }
  code.loaded.set(module, exports);
}

const specOf = (address: FunctionAddress, report: FunctionReport): FunctionSpec => {
  const returns: JsonValue = JSON.parse(report.returns);
  return {
    ...address,
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
