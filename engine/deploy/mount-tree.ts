import { developerError } from "../errors";
import { childPath, inComponent } from "../functions/path";
import type { MountPoint } from "../functions/release";
import type { ComponentPath, JsonValue } from "../types";
import { parseValidator, validateValue } from "../values/validator";
import type { Definition } from "./definitions";

type Env = { readonly [name: string]: string | undefined };
type Child = Definition["childComponents"][number];

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Convex's limit for identifiers. */
const NAME_LENGTH_MAX = 64;
const CHILD_REFERENCE = /^_reference\/childComponent\/([^/]+)$/;
/** Set by the engine for every function. */
const SYSTEM_VARIABLES = ["CONVEX_CLOUD_URL", "CONVEX_SITE_URL"];
/** Validators of variables and arguments know no tables. */
const NO_TABLES = { tableNumber: () => null, tableName: () => null };

const refuse = (message: string) => developerError("TypecheckError", message);

/**
 * The components of a push, from the app at "" down to the innermost: where each definition is mounted, and what was
 * bound to it. Throws "developer" for variables that are missing or of another type, and for names that cannot be.
 *
 * @param appEnv the environment variables of the deployment
 */
export function mountTree(definitions: ReadonlyMap<string, Definition>, appEnv: Env): MountPoint[] {
  const mounts: MountPoint[] = [];
  const visit = (path: ComponentPath, definition: Definition, env: Env, child: Child | null): void => {
    checkVariables(definition, env, path);
    const names = definition.childComponents.map(({ name }) => name);
    mounts.push({
      path,
      definitionPath: definition.path,
      children: names,
      httpMounts: httpMountsOf(definition, names),
      httpPrefix: definition.httpPrefix ?? "/",
      env: child?.env ?? [],
      args: child === null ? {} : argumentsOf(child, definition, path),
    });
    for (const next of definition.childComponents) {
      if (!NAME.test(next.name) || next.name.length > NAME_LENGTH_MAX) {
        throw refuse(`${JSON.stringify(next.name)} cannot be the name of a component.`);
      }
      if (names.filter((name) => name === next.name).length > 1) {
        throw refuse(`Two components are mounted under the name "${next.name}"${inComponent(path)}.`);
      }
      const inner = definitions.get(next.path);
      if (inner === undefined) throw refuse(`Component definition not found: ${next.path}`);
      const innerPath = childPath(path, next.name);
      visit(innerPath, inner, boundEnv(next, inner, env, innerPath), next);
    }
  };
  const app = definitions.get("");
  if (app === undefined) throw refuse("The push has no app.");
  visit("", app, appEnv, null);
  return mounts;
}

/** The variables that a component gets, as they are now. */
function boundEnv(child: Child, definition: Definition, parentEnv: Env, path: ComponentPath): Env {
  const env: { [name: string]: string | undefined } = {};
  for (const [name, bound] of child.env ?? []) {
    if (!definition.envVars?.some(([declared]) => declared === name)) {
      throw refuse(`Component "${path}" declares no environment variable "${name}".`);
    }
    env[name] = bound.type === "value" ? bound.value : parentEnv[bound.name];
  }
  return env;
}

function checkVariables(definition: Definition, env: Env, path: ComponentPath): void {
  const where = path === "" ? "declared in convex.config.ts" : `declared by component "${path}"`;
  const declared = definition.envVars ?? [];
  const missing = declared.filter(([name, { optional }]) => optional !== true && env[name] === undefined);
  if (missing.length > 0) {
    const names = missing.map(([name]) => name).join(", ");
    throw developerError(
      "MissingEnvironmentVariables",
      `Environment variables ${where} are not set: ${names}.`,
    );
  }
  for (const [name, { value: validator }] of declared) {
    if (SYSTEM_VARIABLES.includes(name)) {
      throw refuse(`The environment variable ${name} is set by the backend and cannot be declared.`);
    }
    const value = env[name];
    const wrong = value === undefined ? null : validateValue(parsed(validator), value, NO_TABLES);
    if (wrong !== null) {
      throw developerError(
        "InvalidEnvironmentVariables",
        `The value of environment variable ${name} ${where} is invalid: ${wrong}`,
      );
    }
  }
}

const parsed = (text: string) => parseValidator(JSON.parse(text));

/** Arguments of components that were made before environment variables: JSON values, read by `componentArgument`. */
function argumentsOf(child: Child, { definitionType }: Definition, path: ComponentPath): MountPoint["args"] {
  const declared = definitionType.type === "childComponent" ? (definitionType.args ?? []) : [];
  const args: { [name: string]: JsonValue } = {};
  for (const [name, { value: text }] of child.args ?? []) {
    const validator = declared.find(([declaredName]) => declaredName === name)?.[1].value;
    if (validator === undefined) throw refuse(`Component "${path}" has no argument named "${name}".`);
    const value: JsonValue = JSON.parse(text);
    const wrong = validateValue(parsed(validator), value, NO_TABLES);
    if (wrong !== null)
      throw refuse(`Component "${path}" has an invalid value for argument "${name}": ${wrong}`);
    args[name] = value;
  }
  return args;
}

function httpMountsOf({ httpMounts }: Definition, children: readonly string[]): [string, string][] {
  return Object.entries(httpMounts).map(([prefix, reference]) => {
    const name = CHILD_REFERENCE.exec(reference)?.[1];
    if (name === undefined || !children.includes(name)) {
      throw refuse(`HTTP mount ${prefix} is invalid: ${reference} is not a mounted component.`);
    }
    return [prefix, name];
  });
}

/**
 * Checks that HTTP mounts lead somewhere and to one place only.
 *
 * @param routesOf routes of the http.ts of a definition, null without one
 */
export function checkHttpMounts(
  mounts: readonly MountPoint[],
  routesOf: (definitionPath: string) => readonly [string, string][] | null,
): void {
  const at = new Map(mounts.map((mount) => [mount.path, mount]));
  for (const { path, definitionPath, httpMounts } of mounts) {
    for (const [prefix, name] of httpMounts) {
      const child = at.get(childPath(path, name));
      const hasRoutes = child !== undefined && (routesOf(child.definitionPath) ?? []).length > 0;
      if (!hasRoutes && (child?.httpMounts ?? []).length === 0) {
        throw refuse(
          `HTTP mount ${prefix} is invalid: Child component "${name}" doesn't have any HTTP routes.`,
        );
      }
      const overlaps = (routesOf(definitionPath) ?? []).some(
        ([route]) => route.endsWith("*") && overlap(route.slice(0, -1), prefix),
      );
      if (overlaps) throw refuse(`HTTP mount ${prefix} is invalid: Overlap with existing prefix route`);
    }
  }
}

const overlap = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a);
