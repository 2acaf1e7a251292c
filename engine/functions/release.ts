import { EngineError } from "../errors";
import type { AuthProvider, ComponentPath, FunctionKind, Identity, JsonValue } from "../types";
import type { ValidatorJson } from "../values/validator";
import type { ActionBridge } from "./actions/host";
import { componentEnvs, type EnvBinding } from "./component-env";
import { type FunctionError, plainError } from "./failure";
import { type Handles, storedHandles } from "./handles";
import { Mount } from "./mount";
import {
  canonicalPath,
  type FunctionAddress,
  type FunctionPath,
  missingFunction,
  parseFunctionPath,
  shortPath,
} from "./path";
import type { Program } from "./program";

/** A function of a definition, wherever that is mounted. */
export type DefinedFunction = {
  path: FunctionPath;
  kind: FunctionKind;
  visibility: "public" | "internal";
  environment: "isolate" | "node";
  args: ValidatorJson;
  returns: ValidatorJson | null;
};

export type FunctionSpec = DefinedFunction & {
  /** The component that it runs in: its tables, its files, its environment. */
  component: ComponentPath;
};

/** `schedule` is what `crons.export()` says; `args` the encoded argument object. */
export type CronSpec = { name: string; path: string; args: JsonValue; schedule: JsonValue };

/** Where a component definition is mounted, as convex.config.ts says. The app itself is mounted at "". */
export type MountPoint = {
  path: ComponentPath;
  /** What the CLI calls the definition: its folder, seen from the app's; "" for the app. */
  definitionPath: string;
  /** Names of the components mounted in this one. */
  children: readonly string[];
  /** `/prefix/` and the name of the child whose HTTP routes are found there. */
  httpMounts: readonly [string, string][];
  /** Where the app's own http.ts is found, `/` or a prefix with a slash at its end. */
  httpPrefix: string;
  env: readonly [string, EnvBinding][];
  /** What `componentArgument` of older components answers. */
  args: { readonly [name: string]: JsonValue };
};

/** One component of the deployment with its code; mounted twice, a definition is here twice and shares its program. */
export type Component = MountPoint & {
  program: Program;
  /** By canonical path. */
  functions: ReadonlyMap<string, FunctionSpec>;
  /** Routes of http.ts as `[path, method]`; null without http.ts. */
  routes: readonly [string, string][] | null;
  crons: readonly CronSpec[];
  schema: JsonValue | null;
};

/** What a push made of the developer's folder and of the components that it mounts. */
export type Deployment = {
  /** Id of the stored push; "" before the first one. */
  id: string;
  app: Component;
  /** By path, the app at "" among them. */
  components: ReadonlyMap<ComponentPath, Component>;
  auth: readonly AuthProvider[];
  /** What modules see as the moment and the seed while they load. */
  importTimeMs: number;
  importSeed: string;
};

/**
 * A deployment together with the environment variables of a moment: what a call runs on from its beginning to its
 * end. A push or a changed variable makes a new one; the old one closes when its last call has ended.
 */
export class Release {
  readonly deployment: Deployment;
  readonly handles: Handles = storedHandles;
  readonly #mounts: ReadonlyMap<ComponentPath, Mount>;

  /** @param env environment variables of the app, with those that the engine sets */
  constructor(
    deployment: Deployment,
    env: { readonly [name: string]: string },
    isolation: "fresh" | "reuse",
    bridge: ActionBridge,
  ) {
    this.deployment = deployment;
    const envs = componentEnvs(deployment, env);
    this.#mounts = new Map(
      [...deployment.components.values()].map((component) => [
        component.path,
        new Mount(deployment, component, { env: envs.get(component.path) ?? {}, isolation, bridge }),
      ]),
    );
  }

  /** The running component at a path, undefined where none is mounted. */
  mounted(path: ComponentPath): Mount | undefined {
    return this.#mounts.get(path);
  }

  /** The component that a function of this release runs in. */
  mountOf({ component }: Pick<FunctionSpec, "component">): Mount {
    const mount = this.mounted(component);
    if (mount === undefined) {
      throw new EngineError("internal", "UnknownComponent", `No component is mounted at "${component}".`);
    }
    return mount;
  }

  /** What kind of function a path means; null where it means none. */
  kindOf(path: string, component: ComponentPath): FunctionKind | null {
    try {
      return this.find({ component, path: parseFunctionPath(path) })?.kind ?? null;
    } catch (error) {
      if (error instanceof EngineError) return null;
      throw error;
    }
  }

  find({ component, path }: FunctionAddress): FunctionSpec | undefined {
    return this.deployment.components.get(component)?.functions.get(canonicalPath(path));
  }

  /**
   * The function that a call means, or the error its caller reads. Clients call public functions of the app; those of
   * components, and internal ones, are for administrators. Who may not call a function learns nothing of it: the text
   * is that of a function which does not exist.
   *
   * @param trusted true for calls from other functions, the scheduler and crons
   */
  resolve(
    address: FunctionAddress,
    kind: FunctionKind,
    identity: Identity,
    trusted: boolean,
  ): FunctionSpec | FunctionError {
    const spec = this.find(address);
    const isOpen = spec?.visibility === "public" && spec.component === "";
    const mayCall = spec !== undefined && (trusted || isOpen || identity.kind === "admin");
    if (!mayCall) return plainError(missingFunction(shortPath(address.path), address.component));
    if (spec.kind !== kind) {
      return plainError(
        `Trying to execute ${canonicalPath(address.path)} as ${title(kind)}, but it is defined as ${title(spec.kind)}.`,
      );
    }
    return spec;
  }

  close(): void {
    for (const mount of this.#mounts.values()) mount.close();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#mounts.values()].map((mount) => mount.stop()));
  }
}

const title = (kind: FunctionKind): string => kind.charAt(0).toUpperCase() + kind.slice(1);

export const isError = (found: FunctionSpec | FunctionError): found is FunctionError => "message" in found;
