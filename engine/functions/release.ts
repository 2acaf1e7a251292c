import { EngineError } from "../errors";
import type { AuthProvider, FunctionKind, Identity, JsonValue } from "../types";
import type { ValidatorJson } from "../values/validator";
import { type ActionBridge, ActionHost } from "./actions/host";
import { type FunctionError, plainError } from "./failure";
import { canonicalPath, type FunctionPath, missingFunction, parseFunctionPath, shortPath } from "./path";
import type { Program } from "./program";
import { RealmPool } from "./realm-pool";

export type FunctionSpec = {
  path: FunctionPath;
  kind: FunctionKind;
  visibility: "public" | "internal";
  environment: "isolate" | "node";
  args: ValidatorJson;
  returns: ValidatorJson | null;
};

/** `schedule` is what `crons.export()` says; `args` the encoded argument object. */
export type CronSpec = { name: string; path: string; args: JsonValue; schedule: JsonValue };

/** What a push made of the developer's folder. */
export type Deployment = {
  /** Id of the stored push; "" before the first one. */
  id: string;
  program: Program;
  /** By canonical path. */
  functions: ReadonlyMap<string, FunctionSpec>;
  /** Routes of http.ts as `[path, method]`; null without http.ts. */
  routes: readonly [string, string][] | null;
  crons: readonly CronSpec[];
  auth: readonly AuthProvider[];
  schema: JsonValue | null;
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
  readonly env: { readonly [name: string]: string };
  readonly realms: RealmPool;
  readonly #bridge: ActionBridge;
  readonly #hosts = new Map<"isolate" | "node", ActionHost>();
  /** Workers that take no new calls; some may be busy for long. */
  readonly #retired = new Set<ActionHost>();
  #closed = false;

  constructor(
    deployment: Deployment,
    env: { readonly [name: string]: string },
    isolation: "fresh" | "reuse",
    bridge: ActionBridge,
  ) {
    this.deployment = deployment;
    this.env = env;
    this.#bridge = bridge;
    const { importTimeMs, importSeed } = deployment;
    this.realms = new RealmPool(
      deployment.program,
      { importTimeMs, importSeed, env: { ...env }, strictEnv: false },
      isolation,
    );
  }

  /** The worker for actions; started when first needed, and again after a crash. */
  actions(environment: "isolate" | "node"): ActionHost {
    let host = this.#hosts.get(environment);
    if (host === undefined || host.closing) {
      if (host !== undefined) this.#retire(host);
      host = new ActionHost(environment, this.deployment.program.modules, this.env, this.#bridge);
      this.#hosts.set(environment, host);
      if (this.#closed) host.closeAfterUse();
    }
    if (environment === "node" && this.#bridge.recycles()) host.closeAfterUse();
    return host;
  }

  #retire(host: ActionHost): void {
    for (const other of this.#retired) if (other.ended) this.#retired.delete(other);
    this.#retired.add(host);
  }

  /** What kind of function a path means; null where it means none. */
  kindOf(path: string): FunctionKind | null {
    try {
      return this.find(parseFunctionPath(path))?.kind ?? null;
    } catch (error) {
      if (error instanceof EngineError) return null;
      throw error;
    }
  }

  find(path: FunctionPath): FunctionSpec | undefined {
    return this.deployment.functions.get(canonicalPath(path));
  }

  /**
   * The function that a call means, or the error its caller reads. Who may not call a function learns nothing of it:
   * the text is that of a function which does not exist.
   *
   * @param trusted true for calls from other functions, the scheduler and crons
   */
  resolve(
    path: string,
    kind: FunctionKind,
    identity: Identity,
    trusted: boolean,
  ): FunctionSpec | FunctionError {
    const parsed = parseFunctionPath(path);
    const spec = this.find(parsed);
    const mayCall =
      spec !== undefined && (trusted || spec.visibility === "public" || identity.kind === "admin");
    if (!mayCall) return plainError(missingFunction(shortPath(parsed)));
    if (spec.kind !== kind) {
      return plainError(
        `Trying to execute ${canonicalPath(parsed)} as ${title(kind)}, but it is defined as ${title(spec.kind)}.`,
      );
    }
    return spec;
  }

  close(): void {
    this.#closed = true;
    this.realms.close();
    for (const host of this.#hosts.values()) host.closeWhenIdle();
  }

  async stop(): Promise<void> {
    this.close();
    await Promise.all([...this.#hosts.values(), ...this.#retired].map((host) => host.stop()));
  }
}

const title = (kind: FunctionKind): string => kind.charAt(0).toUpperCase() + kind.slice(1);

export const isError = (found: FunctionSpec | FunctionError): found is FunctionError => "message" in found;
