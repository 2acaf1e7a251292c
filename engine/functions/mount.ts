import { type ActionBridge, ActionHost } from "./actions/host";
import { RealmPool } from "./realm-pool";
import type { Component, Deployment } from "./release";

type Setting = {
  /** What `process.env` of the component's functions holds. */
  env: { readonly [name: string]: string };
  isolation: "fresh" | "reuse";
  bridge: ActionBridge;
};

/**
 * What the functions of one component run in: realms and workers that hold its modules and its environment, and no
 * other's. They are made when first needed, as most components have no actions and many are called rarely.
 */
export class Mount {
  readonly component: Component;
  readonly #deployment: Deployment;
  readonly #setting: Setting;
  readonly #hosts = new Map<"isolate" | "node", ActionHost>();
  /** Workers that take no new calls; some may be busy for long. */
  readonly #retired = new Set<ActionHost>();
  #realms: RealmPool | null = null;
  #closed = false;

  constructor(deployment: Deployment, component: Component, setting: Setting) {
    this.component = component;
    this.#deployment = deployment;
    this.#setting = setting;
  }

  get realms(): RealmPool {
    if (this.#realms === null) {
      const { importTimeMs, importSeed } = this.#deployment;
      const { env, isolation } = this.#setting;
      const setup = { importTimeMs, importSeed, env: { ...env }, strictEnv: false };
      this.#realms = new RealmPool(this.component.program, setup, isolation);
      if (this.#closed) this.#realms.close();
    }
    return this.#realms;
  }

  /** The worker for actions; started when first needed, and again after a crash. */
  actions(environment: "isolate" | "node"): ActionHost {
    let host = this.#hosts.get(environment);
    if (host === undefined || host.closing) {
      if (host !== undefined) this.#retire(host);
      const { program, path, args } = this.component;
      const { env, bridge } = this.#setting;
      host = new ActionHost(
        { environment, component: path, modules: program.modules, env, componentArguments: args },
        bridge,
      );
      this.#hosts.set(environment, host);
      if (this.#closed) host.closeAfterUse();
    }
    if (environment === "node" && this.#setting.bridge.recycles()) host.closeAfterUse();
    return host;
  }

  #retire(host: ActionHost): void {
    for (const other of this.#retired) if (other.ended) this.#retired.delete(other);
    this.#retired.add(host);
  }

  close(): void {
    this.#closed = true;
    this.#realms?.close();
    for (const host of this.#hosts.values()) host.closeWhenIdle();
  }

  async stop(): Promise<void> {
    this.close();
    await Promise.all([...this.#hosts.values(), ...this.#retired].map((host) => host.stop()));
  }
}
