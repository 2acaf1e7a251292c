/// <reference types="vite/client" />
import type { Permission } from "#shared/domain/roles";

/** Whom a public function lets in, as its builder in `convex/functions.ts` says. */
export type Door =
  | { kind: "public" }
  | { kind: "service" }
  | { kind: "user" }
  | { kind: "member"; permission: Permission }
  /** `any`: the door is for keys that are narrowed to whatever tools. */
  | { kind: "caller"; tools: "named" | "any" };

export interface PublicFunction {
  /** `module:name`. */
  name: string;
  type: "query" | "mutation" | "action";
  /** Undefined when no builder of ours made it, or in a way that cannot be read: a test fails then. */
  door: Door | undefined;
}

const modules: Record<string, Record<string, unknown>> = import.meta.glob(
  ["../../convex/*.ts", "!../../convex/*.*.ts"],
  { eager: true },
);
const sources: Record<string, string> = import.meta.glob(["../../convex/*.ts", "!../../convex/*.*.ts"], {
  eager: true,
  query: "?raw",
  import: "default",
});

/**
 * `export const list = memberQuery({ permission: "inbox.read", ...`. The builders leave no trace on what they return,
 * so the door is read from the source, where the formatter keeps this shape.
 */
const DECLARATION =
  /^(?:export )?const (\w+) = (public|service|user|member|caller)(?:Query|Mutation|Action)\(\{\s*(?:permission: "([\w.]+)",\s*)?(?:\/\/[^\n]*\s*)?(?:tools: (\[|"any"))?/gm;

/** Every public function of the deployment, in alphabetical order. */
export function listPublicFunctions(): PublicFunction[] {
  return Object.entries(modules)
    .flatMap(([path, exported]) => {
      const doors = readDoors(sources[path] ?? "");
      const module = path.slice(path.lastIndexOf("/") + 1, -".ts".length);
      return Object.entries(exported).flatMap(([name, value]) => {
        if (!isPublicFunction(value)) return [];
        const type = value.isQuery ? "query" : value.isMutation ? "mutation" : "action";
        return [{ name: `${module}:${name}`, type: type as PublicFunction["type"], door: doors.get(name) }];
      });
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `export { importNumbers as import }`, for names that are words of the language. */
const ALIAS = /^export \{ (\w+) as (\w+) \};/gm;

function readDoors(source: string): Map<string, Door> {
  const doors = new Map<string, Door>();
  for (const [, name = "", kind, permission, tools] of source.matchAll(DECLARATION)) {
    if (kind === "public" || kind === "service" || kind === "user") doors.set(name, { kind });
    if (kind === "caller" && tools !== undefined)
      doors.set(name, { kind, tools: tools === "[" ? "named" : "any" });
    // The compiler has checked it where it stands.
    if (kind === "member" && permission !== undefined)
      doors.set(name, { kind, permission: permission as Permission });
  }
  for (const [, name = "", alias = ""] of source.matchAll(ALIAS)) {
    const door = doors.get(name);
    if (door !== undefined) doors.set(alias, door);
  }
  return doors;
}

function isPublicFunction(value: unknown): value is { isPublic: true; isQuery?: true; isMutation?: true } {
  return typeof value === "function" && "isPublic" in value && value.isPublic === true;
}
