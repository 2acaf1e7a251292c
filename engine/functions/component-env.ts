import type { ComponentPath } from "../types";
import { childPath } from "./path";
import type { Component, Deployment } from "./release";

/** A variable of a component: a text of its own, or whatever the variable of that name in its parent is. */
export type EnvBinding = { type: "value"; value: string } | { type: "envVar"; name: string };

type Env = { readonly [name: string]: string };

/**
 * What `process.env` holds in each component: in a mounted one nothing but what was bound to it, and the two addresses
 * that the engine sets. `CONVEX_SITE_URL` is there the address of the component's own HTTP routes, so that it can tell
 * others how to call back; one whose routes are mounted nowhere sees that of the app.
 */
export function componentEnvs(deployment: Deployment, appEnv: Env): ReadonlyMap<ComponentPath, Env> {
  const envs = new Map<ComponentPath, Env>();
  const { CONVEX_CLOUD_URL: cloudUrl = "", CONVEX_SITE_URL: siteUrl = "" } = appEnv;
  const visit = (component: Component, env: Env, httpBase: string | null): void => {
    envs.set(component.path, env);
    for (const name of component.children) {
      const child = deployment.components.get(childPath(component.path, name));
      if (child === undefined) continue;
      const prefix = component.httpMounts.find(([, mounted]) => mounted === name)?.[0];
      const childBase = httpBase === null || prefix === undefined ? null : httpBase + prefix.slice(0, -1);
      const bound: { [name: string]: string } = {};
      for (const [variable, binding] of child.env) {
        const value = binding.type === "value" ? binding.value : env[binding.name];
        if (value !== undefined) bound[variable] = value;
      }
      const system = { CONVEX_CLOUD_URL: cloudUrl, CONVEX_SITE_URL: siteUrl + (childBase ?? "") };
      visit(child, { ...bound, ...system }, childBase);
    }
  };
  visit(deployment.app, appEnv, "");
  return envs;
}
