import { developerError } from "../errors";
import type { Fate } from "../fate";
import type { JobRef } from "../scheduler/jobs";
import type { ComponentPath, Identity, JsonObject } from "../types";
import type { LogLines } from "./log-lines";

/** What belongs to one call from outside and all calls nested in it. */
export type CallContext = {
  identity: Identity;
  requestId: string;
  caller: { ip?: string; userAgent?: string };
  /** Set for scheduled calls. */
  scheduledJob: JobRef | null;
  logs: LogLines;
  /** What the result turned out to depend on beyond the database. */
  saw: { identity: boolean; clock: boolean };
  /** Where its chance comes from when the call runs twice; null otherwise. */
  fate: Fate | null;
  /** What the outermost function used of the limits that are not the transaction's. */
  used: { argsBytes: number; resultBytes: number; userMs: number };
};

/**
 * Who a called function is called by. Identities stay in the app: what goes into a component, out of one or around in
 * one goes without, and only the rights of an administrator travel.
 */
export function passIdentity(identity: Identity, from: ComponentPath, to: ComponentPath): Identity {
  if (from === "" && to === "") return identity;
  return identity.kind === "admin" ? { kind: "admin", actingAs: null } : { kind: "none" };
}

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
