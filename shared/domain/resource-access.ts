import { fitsDirection, fitsTools, hasScope, type KeyDirection, type Scope } from "../scopes";

/** The kinds of resources that MCP clients read and subscribe to. */
export const RESOURCE_KINDS = [
  "accounts",
  "messages",
  "templates",
  "conversation",
  "media",
  "policy",
] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

/**
 * What a kind asks of a key: a scope, and the tool that gives the same, so that a key which is narrowed to other tools
 * cannot read by a resource what it may not read by a tool. Null is what every key may know.
 */
const ACCESS: Readonly<Record<ResourceKind, { scope: Scope; tool: string } | null>> = {
  accounts: null,
  policy: null,
  messages: { scope: "messages:read", tool: "get_messages" },
  conversation: { scope: "messages:read", tool: "get_conversation" },
  media: { scope: "messages:read", tool: "get_media" },
  templates: { scope: "templates:read", tool: "list_templates" },
};

/** As far as a key is limited; absent `tools` and `direction` limit nothing. */
interface KeyLimits {
  scopes: readonly string[];
  tools?: readonly string[] | undefined;
  direction?: KeyDirection | undefined;
}

/** Whether a key may read resources of the kind at all; of which number is asked elsewhere. */
export function mayReadResource({ scopes, tools, direction }: KeyLimits, kind: ResourceKind): boolean {
  const access = ACCESS[kind];
  if (access === null) return true;
  const { scope, tool } = access;
  return hasScope(scopes, scope) && fitsDirection(direction, scope) && fitsTools(tools, [tool]);
}
