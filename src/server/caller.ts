import type { KeyDirection, Scope } from "#shared/scopes";
import type { Identity } from "./identity";

/**
 * Whoever holds a valid credential for the MCP endpoint, whatever kind of credential it is. It says whom to ask Convex
 * as; what that one may do is decided again by every Convex function that is reached.
 */
export type Caller = {
  /** One word for the holder, for cursors, limits, streams and the audit log: `key:<id>`. */
  principal: string;
  identity: Extract<Identity, { use: "mcp" }>;
  name: string;
  scopes: readonly Scope[];
  /** How many business numbers the holder may use; with one, nobody has to say which. */
  numbers: number;
  /** The only tools that the credential may call; absent = all that its scopes allow. */
  tools?: readonly string[];
  /** What of customers has to be read before sends to others must be confirmed by a person. */
  confirmAfter: "flagged" | "everything" | "nothing";
  /** Set when the credential only reads or only sends, whatever its scopes say. */
  direction?: KeyDirection;
};
