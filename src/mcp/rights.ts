import { fitsDirection, hasScope, type Scope } from "#shared/scopes";
import type { Caller } from "../server/caller";

/**
 * Whether a caller is offered what needs this scope; null needs none. It only spares clients what the backend would
 * refuse them: every function behind decides again.
 */
export const mayUse = ({ scopes, direction }: Caller, scope: Scope | null): boolean =>
  scope === null || (hasScope(scopes, scope) && fitsDirection(direction, scope));
