import { developerError } from "../errors";
import type { Fate } from "../fate";
import type { Identity, JsonObject } from "../types";
import type { LogLines } from "./log-lines";

/** What belongs to one call from outside and all calls nested in it. */
export type CallContext = {
  identity: Identity;
  requestId: string;
  caller: { ip?: string; userAgent?: string };
  /** Set for scheduled calls: the `_scheduled_functions` id. */
  scheduledJobId: string | null;
  logs: LogLines;
  /** What the result turned out to depend on beyond the database. */
  saw: { identity: boolean; clock: boolean };
  /** Where its chance comes from when the call runs twice; null otherwise. */
  fate: Fate | null;
  /** What the outermost function used of the limits that are not the transaction's. */
  used: { argsBytes: number; resultBytes: number; userMs: number };
};

/** Answer of `ctx.auth.getUserIdentity()`. Throws "developer" for a credential that could not be checked. */
export function userIdentity(identity: Identity): JsonObject | null {
  switch (identity.kind) {
    case "none":
      return null;
    case "user":
      return identity.attributes;
    case "admin":
      return identity.actingAs;
    case "unknown":
      throw developerError("InvalidAuthHeader", identity.reason);
  }
}
