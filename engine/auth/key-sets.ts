import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { Clock } from "../clock";
import { EngineError } from "../errors";
import { isJsonObject, parseJson } from "../json";

/** How long a fetched key set is trusted before it is read again. jose uses the same ten minutes. */
const KEY_SET_AGE_MS_MAX = 10 * 60_000;
/**
 * An unknown `kid` causes a fetch at most this often per address, so that forged tokens cannot be used to flood the
 * issuer. jose uses the same thirty seconds.
 */
const REFETCH_PAUSE_MS = 30_000;
const FETCH_TIMEOUT_MS = 10_000;
/** A key set holds a handful of keys; a megabyte is a thousand RSA keys. */
const KEY_SET_BYTES_MAX = 1024 * 1024;
/** The media types that Convex accepts for a key set. */
const KEY_SET_TYPES = new Set(["application/json", "application/jwk-set+json"]);

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface KeySets {
  /** Keys at a `data:` or `http(s):` address. Throws "unauthorized" when they cannot be read. */
  keysAt(address: string): Promise<JWTVerifyGetKey>;
}

type CachedSet = { keys: JWTVerifyGetKey; fetchedAtMs: number };

const unreadable = (message: string, cause?: unknown): EngineError =>
  new EngineError("unauthorized", "InvalidAuthHeader", message, { cause });

/** Key sets by address, fetched once and kept for ten minutes; read again when a token names an unknown key. */
export function createKeySets(clock: Clock, fetchKeys: Fetch = fetch): KeySets {
  const cache = new Map<string, CachedSet>();
  const running = new Map<string, Promise<CachedSet>>();

  const load = (address: string): Promise<CachedSet> => {
    const known = running.get(address);
    if (known !== undefined) {
      return known;
    }
    const started = (async () => {
      const fetchedAtMs = clock.nowMs();
      const set = { keys: parseKeySet(await fetchText(address, fetchKeys), address), fetchedAtMs };
      cache.set(address, set);
      return set;
    })().finally(() => running.delete(address));
    running.set(address, started);
    return started;
  };

  return {
    async keysAt(address) {
      if (address.startsWith("data:")) {
        const cached = cache.get(address) ?? {
          keys: parseKeySet(readDataUrl(address), "a data: URL"),
          fetchedAtMs: 0,
        };
        cache.set(address, cached);
        return cached.keys;
      }
      const cached = cache.get(address);
      const fresh = cached !== undefined && clock.nowMs() - cached.fetchedAtMs < KEY_SET_AGE_MS_MAX;
      const set = fresh ? cached : await load(address);
      return async (header, token) => {
        try {
          return await set.keys(header, token);
        } catch (error) {
          const mayAskAgain = clock.nowMs() - set.fetchedAtMs >= REFETCH_PAUSE_MS;
          if (!(error instanceof errors.JWKSNoMatchingKey) || !mayAskAgain) {
            throw error;
          }
          return (await load(address)).keys(header, token);
        }
      };
    },
  };
}

function readDataUrl(address: string): string {
  const comma = address.indexOf(",");
  if (comma < 0) {
    throw unreadable("Invalid JWKS data URL: it has no comma before its data.");
  }
  const data = address.slice(comma + 1);
  const isBase64 = address.slice(0, comma).endsWith(";base64");
  try {
    return isBase64 ? Buffer.from(data, "base64").toString("utf8") : decodeURIComponent(data);
  } catch (error) {
    throw unreadable("Invalid JWKS data URL: its percent encoding is broken.", error);
  }
}

async function fetchText(address: string, fetchKeys: Fetch): Promise<string> {
  let response: Response;
  try {
    response = await fetchKeys(address, {
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw unreadable(`Could not fetch JWKS from URL '${address}': ${reason}.`, error);
  }
  if (response.status !== 200) {
    throw unreadable(`Could not fetch JWKS from URL '${address}': HTTP ${response.status}.`);
  }
  const type = (response.headers.get("content-type") ?? "unknown").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!KEY_SET_TYPES.has(type)) {
    throw unreadable(
      `Invalid Content-Type '${type}' when fetching JWKS from '${address}'. Expected application/json or application/jwk-set+json.`,
    );
  }
  const text = await response.text();
  if (text.length > KEY_SET_BYTES_MAX) {
    throw unreadable(`The JWKS at '${address}' is larger than ${KEY_SET_BYTES_MAX} bytes.`);
  }
  return text;
}

function parseKeySet(text: string, address: string): JWTVerifyGetKey {
  try {
    const parsed = parseJson(text, "The key set");
    if (!isJsonObject(parsed) || !Array.isArray(parsed["keys"]) || !parsed["keys"].every(isJsonObject)) {
      throw new Error("it has no list of keys");
    }
    const set: JSONWebKeySet = { keys: parsed["keys"] };
    return createLocalJWKSet(set);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw unreadable(`Invalid JWKS from '${address}': ${reason}.`, error);
  }
}
