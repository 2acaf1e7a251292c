import type { Modules } from "./modules";
import type { DefinitionReport, FunctionReport, ModuleReport } from "./port";
import { describeThrown } from "./thrown";

type Marked = { [flag: string]: unknown };

const isCallable = (value: unknown): value is Marked => typeof value === "function";

const callText = (value: Marked, method: string, missing: string): string => {
  const make = value[method];
  return typeof make === "function" ? String(make.call(value)) : missing;
};

/** What the exports of one module are, as `convex/server` marks them. Shared by realms and node workers. */
export function analyzeExports(exports: { [name: string]: unknown }): ModuleReport {
  try {
    const functions: FunctionReport[] = [];
    for (const [name, value] of Object.entries(exports)) {
      if (!isCallable(value)) continue;
      const kind =
        value["isQuery"] === true
          ? "query"
          : value["isMutation"] === true
            ? "mutation"
            : value["isAction"] === true
              ? "action"
              : null;
      if (kind === null) continue;
      functions.push({
        name,
        kind,
        visibility: value["isPublic"] === true ? "public" : value["isInternal"] === true ? "internal" : null,
        args: callText(value, "exportArgs", '{"type":"any"}'),
        returns: callText(value, "exportReturns", "null"),
      });
    }
    const main: unknown = exports["default"];
    const object: object = typeof main === "object" && main !== null ? main : {};
    const isRouter = Reflect.get(object, "isRouter") === true;
    const isCrons = Reflect.get(object, "isCrons") === true;
    return {
      ok: true,
      functions,
      routes: isRouter ? routesOf(object) : null,
      crons: isCrons ? callText({ ...object, export: Reflect.get(object, "export") }, "export", "{}") : null,
      defaultExport: isRouter ? "router" : isCrons ? "crons" : main === undefined ? "none" : "other",
    };
  } catch (error) {
    return { ok: false, thrown: describeThrown(error) };
  }
}

function routesOf(router: object): [string, string][] {
  const getRoutes: unknown = Reflect.get(router, "getRoutes");
  if (typeof getRoutes !== "function") return [];
  const routes: unknown = getRoutes.call(router);
  if (!Array.isArray(routes)) return [];
  return routes.map((route: unknown[]): [string, string] => [String(route[0]), String(route[1])]);
}

/** Loads a module and reports on it. */
export function analyzeModule(modules: Modules, path: string): ModuleReport {
  try {
    return analyzeExports(modules.load(path));
  } catch (error) {
    return { ok: false, thrown: describeThrown(error) };
  }
}

/** JSON of what the default export of schema.ts, auth.config.ts or convex.config.ts says. */
export function reportDefinition(
  modules: Modules,
  path: string,
  what: "schema" | "auth" | "app" | "plain",
): DefinitionReport {
  try {
    const main: unknown = modules.load(path)["default"];
    if (main === undefined || main === null) throw new Error(`${path} must have a default export.`);
    if (what === "plain" || what === "auth") return { ok: true, json: JSON.stringify(main) };
    const make: unknown = typeof main === "object" ? Reflect.get(main, "export") : undefined;
    if (typeof make !== "function") {
      throw new Error(
        what === "schema"
          ? "The default export of schema.ts must be the result of defineSchema()."
          : "The default export of convex.config.ts must be the result of defineApp().",
      );
    }
    const exported: unknown = make.call(main);
    return { ok: true, json: typeof exported === "string" ? exported : JSON.stringify(exported) };
  } catch (error) {
    return { ok: false, thrown: describeThrown(error) };
  }
}
