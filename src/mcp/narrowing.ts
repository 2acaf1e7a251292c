/** What a connection gives up of what its credential allows. It can only take away. */
export type Narrowing = {
  readOnly: boolean;
  /** Only the tools that most agents need, for clients that take few. */
  coreOnly: boolean;
  /** The only tools to offer, or null for all. */
  tools: ReadonlySet<string> | null;
};

export const NOT_NARROWED: Narrowing = { readOnly: false, coreOnly: false, tools: null };

/** Longest list of tools that is read; a longer one is cut, which takes away more. */
const TOOLS_CHARS_MAX = 2_000;

/**
 * Reads `?read_only=true`, `?tool_set=core`, `?tools=a,b` and `X-MCP-Readonly: true`. Any value but an explicit "no" narrows, so that a
 * misspelt wish for safety is not taken for its opposite.
 */
export function narrowingOf(url: URL, headers: Headers): Narrowing {
  const wishes = [...url.searchParams.getAll("read_only"), headers.get("x-mcp-readonly")];
  const [first, ...others] = url.searchParams.getAll("tools").map(namesOf);
  return {
    readOnly: wishes.some((wish) => wish !== null && !/^(false|0|no|off)$/i.test(wish.trim())),
    coreOnly: url.searchParams.getAll("tool_set").some((set) => set.trim().toLowerCase() !== "full"),
    tools:
      first === undefined
        ? null
        : new Set(first.filter((name) => others.every((list) => list.includes(name)))),
  };
}

const namesOf = (list: string): string[] =>
  list
    .slice(0, TOOLS_CHARS_MAX)
    .split(",")
    .map((name) => name.trim());
