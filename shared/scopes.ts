/** What a credential may do. `read`, `write` and `send` are the broad ones; the others are parts of them. */
export const SCOPES = [
  "read",
  "write",
  "send",
  "messages:read",
  "conversations:read",
  "templates:read",
  "messages:write",
] as const;
export type Scope = (typeof SCOPES)[number];

/** The broad scope that contains each narrower one. Sending is never contained: it must be granted by its name. */
const CONTAINED_IN: Partial<Record<Scope, Scope>> = {
  "messages:read": "read",
  "conversations:read": "read",
  "templates:read": "read",
  "messages:write": "write",
};

export function isScope(value: unknown): value is Scope {
  return SCOPES.some((scope) => scope === value);
}

/** Whether the granted scopes cover the needed one, directly or through the broad scope that contains it. */
export function hasScope(granted: readonly string[], needed: Scope): boolean {
  const broader = CONTAINED_IN[needed];
  return granted.includes(needed) || (broader !== undefined && granted.includes(broader));
}

/** Which way a key works: it reads what customers wrote, or it writes to them. */
export type KeyDirection = "inbound" | "outbound";

/**
 * Whether a key of this direction (undefined = both) may use a scope at all. Changes of the inbox (`write`) are part of
 * reading it.
 */
export function fitsDirection(direction: KeyDirection | undefined, needed: Scope): boolean {
  return direction === undefined || (direction === "outbound") === (needed === "send");
}

/**
 * Whether a key that is narrowed to some tools (undefined = not narrowed) may use what stands behind these; `any` is
 * what no tool is needed for.
 */
export function fitsTools(narrowedTo: readonly string[] | undefined, tools: KeyTools): boolean {
  return narrowedTo === undefined || tools === "any" || tools.some((tool) => narrowedTo.includes(tool));
}

/** The MCP tools that something belongs to, by their names. */
export type KeyTools = readonly string[] | "any";

/**
 * The scopes of a list separated by commas or spaces, in the order of the registry and without repetition, or the
 * first word that is not a scope.
 */
export function parseScopes(text: string): { scopes: Scope[] } | { unknown: string } {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const unknown = words.find((word) => !isScope(word));
  if (unknown !== undefined) return { unknown };
  return { scopes: SCOPES.filter((scope) => words.includes(scope)) };
}
