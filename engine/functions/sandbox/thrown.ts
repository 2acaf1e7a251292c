import type { ThrownJson } from "./port";

type CallSite = { toString(): string };

/**
 * Makes `error.stack` the plain list of call sites, whatever the engine's own process does with stacks. The engine
 * maps the places back to the developer's files.
 */
export function plainStacks(): void {
  Object.defineProperty(Error, "prepareStackTrace", {
    value: (error: unknown, sites: CallSite[]) =>
      `${String(error)}\n${sites.map((site) => `    at ${site}`).join("\n")}`,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

/** Any thrown value as text. A ConvexError arrives here with its data already encoded by `convex/server`. */
export function describeThrown(thrown: unknown): ThrownJson {
  if (typeof thrown !== "object" || thrown === null)
    return { message: `Uncaught ${String(thrown)}`, stack: "" };
  let text: string;
  let stack = "";
  try {
    text =
      thrown instanceof Error ? String(thrown) : `[object ${Object.prototype.toString.call(thrown).slice(8)}`;
    const found: unknown = Reflect.get(thrown, "stack");
    if (typeof found === "string") stack = found;
  } catch {
    text = "Error whose text cannot be read";
  }
  const described: ThrownJson = { message: `Uncaught ${text}`, stack };
  const data: unknown = Reflect.get(thrown, "data");
  if (Symbol.for("ConvexError") in thrown && typeof data === "string") described.data = data;
  return described;
}
