import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { Clock } from "../clock";
import { EngineError } from "../errors";
import { isJsonObject, parseJson } from "../json";
import { createRemoteDocuments, DocumentError, type Fetch, fetchDocument, refusal } from "./remote-documents";

/** The media types that Convex accepts for a key set. */
const KEY_SET_TYPES = new Set(["application/json", "application/jwk-set+json"]);
const DISCOVERY_TYPES = new Set(["application/json"]);

/** What an OpenID provider says of itself. */
export type OidcProvider = {
  /** As its tokens must have it in `iss`, character by character. */
  issuer: string;
  keys: JWTVerifyGetKey;
};

export interface KeySets {
  /** Keys of a customJwt provider, at a `data:` or `http(s):` address. Throws "unauthorized" when they cannot be read. */
  keysAt(address: string): Promise<JWTVerifyGetKey>;
  /**
   * OpenID Connect discovery of `domain`, which has a scheme and no slash at its end. Throws
   * `AuthProviderDiscoveryFailed`: "overloaded" while the provider is down, "unauthorized" where what it says is wrong.
   */
  discover(domain: string): Promise<OidcProvider>;
}

/** Key sets by address and providers by domain; read again when a token names an unknown key. */
export function createKeySets(clock: Clock, fetchIt: Fetch = fetch): KeySets {
  const local = new Map<string, JWTVerifyGetKey>();
  const sets = createRemoteDocuments(clock, async (address) =>
    parseKeySet(await fetchDocument(address, KEY_SET_TYPES, clock, fetchIt)),
  );
  const discoveries = createRemoteDocuments(clock, async (domain) => {
    const address = `${domain}/.well-known/openid-configuration`;
    return parseDiscovery(await fetchDocument(address, DISCOVERY_TYPES, clock, fetchIt), domain);
  });

  /** Keys of the set at an address, which is read again for a key that it lacks: issuers change their keys. */
  const remoteKeys = async (address: string): Promise<JWTVerifyGetKey> => {
    const { value: keys } = await sets.get(address);
    return async (header, token) => {
      try {
        return await keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) {
          throw error;
        }
        const newer = await sets.reread(address);
        if (newer === null) {
          throw error;
        }
        return newer.value(header, token);
      }
    };
  };

  return {
    async keysAt(address) {
      try {
        if (!address.startsWith("data:")) {
          return await remoteKeys(address);
        }
        const keys = local.get(address) ?? parseKeySet(readDataUrl(address));
        local.set(address, keys);
        return keys;
      } catch (error) {
        const name = address.startsWith("data:") ? "a data: URL" : `URL '${address}'`;
        throw refusal(error, (reason) => unreadable(`Could not fetch JWKS from ${name}: ${reason}.`, error));
      }
    },
    async discover(domain) {
      try {
        const { value } = await discoveries.get(domain);
        return { issuer: value.issuer, keys: await remoteKeys(value.keysAddress) };
      } catch (error) {
        throw refusal(
          error,
          (reason, passing) =>
            new EngineError(
              passing ? "overloaded" : "unauthorized",
              "AuthProviderDiscoveryFailed",
              `Auth provider discovery of ${domain} failed: ${reason}.`,
              { cause: error },
            ),
        );
      }
    },
  };
}

const unreadable = (message: string, cause: unknown): EngineError =>
  new EngineError("unauthorized", "InvalidAuthHeader", message, { cause });

function readDataUrl(address: string): string {
  const comma = address.indexOf(",");
  if (comma < 0) {
    throw new DocumentError("it has no comma before its data", false);
  }
  const data = address.slice(comma + 1);
  const isBase64 = address.slice(0, comma).endsWith(";base64");
  try {
    return isBase64 ? Buffer.from(data, "base64").toString("utf8") : decodeURIComponent(data);
  } catch (error) {
    throw new DocumentError("its percent encoding is broken", false, { cause: error });
  }
}

function parseKeySet(text: string): JWTVerifyGetKey {
  try {
    const parsed = parseJson(text, "The key set");
    if (!isJsonObject(parsed) || !Array.isArray(parsed["keys"]) || !parsed["keys"].every(isJsonObject)) {
      throw new Error("it has no list of keys");
    }
    const set: JSONWebKeySet = { keys: parsed["keys"] };
    return createLocalJWKSet(set);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DocumentError(`Invalid JWKS: ${reason}`, false, { cause: error });
  }
}

/** The two fields that checking a token needs (OpenID Connect Discovery 1.0, section 3). */
function parseDiscovery(text: string, domain: string): { issuer: string; keysAddress: string } {
  let parsed: unknown;
  try {
    parsed = parseJson(text, "The provider's configuration");
  } catch (error) {
    throw new DocumentError("its configuration is not JSON", false, { cause: error });
  }
  const issuer: unknown = Reflect.get(Object(parsed), "issuer");
  const keysAddress: unknown = Reflect.get(Object(parsed), "jwks_uri");
  if (typeof issuer !== "string" || typeof keysAddress !== "string" || !URL.canParse(keysAddress)) {
    throw new DocumentError("its configuration names no issuer or no jwks_uri", false);
  }
  if (issuer.replace(/\/+$/, "") !== domain) {
    throw new DocumentError(`it calls itself '${issuer}'`, false);
  }
  return { issuer, keysAddress };
}
