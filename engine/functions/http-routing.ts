import type { ComponentPath } from "../types";
import { childPath } from "./path";
import type { Component, Deployment } from "./release";

/** The module whose default export routes a component's HTTP requests. */
export const HTTP_MODULE_PATH = "http.js";

/** The component that answers a request, and the path that its own router looks up. */
export type RoutedRequest = { component: ComponentPath; route: string };

/**
 * Who answers a request: a route of the app that names exactly this path, else the component mounted at the longest
 * prefix of it, else the app's own prefix routes; the same again inside the component, without the prefix. Null where
 * nobody does, "disabled" where the deployment has no HTTP routes at all.
 */
export function routeHttp(
  deployment: Deployment,
  method: string,
  pathname: string,
): RoutedRequest | null | "disabled" {
  const { app } = deployment;
  if (app.routes === null && app.httpMounts.length === 0) return "disabled";
  return routeIn(deployment, app, method, pathname);
}

function routeIn(
  deployment: Deployment,
  component: Component,
  method: string,
  pathname: string,
): RoutedRequest | null {
  const own = ownRoute(component, pathname);
  if (own !== null && hasExactRoute(component, method, own)) return { component: component.path, route: own };
  const [mount] = component.httpMounts
    .filter(([prefix]) => pathname.startsWith(prefix))
    .sort(([a], [b]) => b.length - a.length);
  if (mount !== undefined) {
    const [prefix, name] = mount;
    const child = deployment.components.get(childPath(component.path, name));
    return child === undefined ? null : routeIn(deployment, child, method, pathname.slice(prefix.length - 1));
  }
  return own === null || component.routes === null ? null : { component: component.path, route: own };
}

/** The path as http.ts writes it: without the prefix that the app may have chosen for its own routes. */
function ownRoute({ httpPrefix }: Component, pathname: string): string | null {
  return pathname.startsWith(httpPrefix) ? pathname.slice(httpPrefix.length - 1) : null;
}

/** HEAD is answered by the route for GET. */
function hasExactRoute({ routes }: Component, method: string, route: string): boolean {
  const wanted = method === "HEAD" ? "GET" : method;
  return routes?.some(([path, routeMethod]) => path === route && routeMethod === wanted) ?? false;
}
