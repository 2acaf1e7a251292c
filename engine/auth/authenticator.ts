import type { Clock } from "../clock";
import { EngineError } from "../errors";
import type { AuthProvider, Identity, JsonObject } from "../types";
import { actingAsAttributes, adminIdentity, badAdminKey, sameSecret } from "./admin-key";
import { createKeySets } from "./key-sets";
import type { Fetch } from "./remote-documents";
import { verifyToken } from "./verify-token";

export interface Authenticator {
  /** For the API: no header is nobody, a header that cannot be checked throws "unauthorized". */
  identify(authorization: string | undefined): Promise<Identity>;
  /** For HTTP actions, whose Authorization header may be anything: what cannot be checked becomes "unknown". */
  identifyLeniently(authorization: string | undefined): Promise<Identity>;
  /** A bearer token alone, as the sync protocol carries it. Throws "unauthorized". */
  user(token: string): Promise<Identity>;
  /** The admin key alone, with the user to act as beside it. Throws "unauthorized". */
  admin(key: string, actingAs: JsonObject | undefined): Identity;
}

export type AuthenticatorOptions = {
  adminKey: string;
  /** Providers of the app as it is deployed now. */
  providers: () => readonly AuthProvider[];
  clock: Clock;
  fetch?: Fetch;
};

/** Turns credentials into identities; the only place of the engine that knows what a credential looks like. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const keySets = createKeySets(options.clock, options.fetch);
  const user = async (token: string): Promise<Identity> => {
    const identity = await verifyToken(token, options.providers(), keySets, options.clock);
    return identity.kind === "user" ? { ...identity, token } : identity;
  };

  const identify = async (authorization: string | undefined): Promise<Identity> => {
    if (authorization === undefined || authorization === "") {
      return { kind: "none" };
    }
    const space = authorization.indexOf(" ");
    const scheme = space < 0 ? authorization : authorization.slice(0, space);
    const credential = space < 0 ? "" : authorization.slice(space + 1).trim();
    switch (scheme.toLowerCase()) {
      case "convex":
        return adminIdentity(credential, options.adminKey);
      case "bearer":
        return user(credential);
      default:
        throw new EngineError(
          "unauthorized",
          "InvalidAuthHeader",
          "The Authorization header must be 'Bearer <token>' or 'Convex <admin key>'.",
        );
    }
  };

  return {
    identify,
    async identifyLeniently(authorization) {
      try {
        return await identify(authorization);
      } catch (error) {
        if (error instanceof EngineError && error.kind !== "internal") {
          return { kind: "unknown", reason: error.message };
        }
        throw error;
      }
    },
    user,
    admin(key, actingAs) {
      if (!sameSecret(key, options.adminKey)) {
        throw badAdminKey();
      }
      return { kind: "admin", actingAs: actingAs === undefined ? null : actingAsAttributes(actingAs) };
    },
  };
}
