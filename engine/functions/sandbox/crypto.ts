import { bytesOf, isBytes, ownBuffer } from "./globals";
import type { HostPort } from "./port";
import type { RealmState } from "./state";

type Algorithm = { name: string; hash?: { name: string }; namedCurve?: string; length?: number };
type Material = { kind: "secret" | "public" | "private"; bytes: Uint8Array };

/** A key is its bytes: the engine keeps no handle, so a key costs nothing when the call has ended. */
class RealmCryptoKey {
  readonly type: Material["kind"];
  readonly extractable: boolean;
  readonly algorithm: Algorithm;
  readonly usages: string[];
  #material: Uint8Array;

  constructor(material: Material, extractable: boolean, algorithm: Algorithm, usages: readonly string[]) {
    this.type = material.kind;
    this.#material = material.bytes;
    this.extractable = extractable;
    this.algorithm = algorithm;
    this.usages = [...usages];
  }

  static bytes(key: RealmCryptoKey): Uint8Array {
    return key.#material;
  }

  get [Symbol.toStringTag](): string {
    return "CryptoKey";
  }
}

const failure = (name: string, message: string): Error => Object.assign(new Error(message), { name });

const NO_RANDOMNESS =
  "Can't use cryptographic randomness in queries and mutations. Please consider using an action. " +
  "See https://docs.convex.dev/functions/actions for more details.";

/** Quota of the Web Crypto standard for one getRandomValues call. */
const RANDOM_BYTES_MAX = 65_536;
const ASYMMETRIC = ["RSASSA-PKCS1-V1_5", "RSA-PSS", "RSA-OAEP", "ECDSA", "ED25519"];

type Params = { [name: string]: unknown };

const paramsOf = (algorithm: unknown): Params & { name: string } => {
  const given = typeof algorithm === "string" ? { name: algorithm } : Object(algorithm);
  return { ...given, name: String(Reflect.get(given, "name")).toUpperCase() };
};
const hashOf = (value: unknown): string => {
  const name = String(
    typeof value === "object" && value !== null ? Reflect.get(value, "name") : value,
  ).toUpperCase();
  if (!["SHA-1", "SHA-256", "SHA-384", "SHA-512"].includes(name)) {
    throw failure("NotSupportedError", `Unrecognized algorithm name: ${name}`);
  }
  return name;
};

/** Web Crypto as queries and mutations have it: everything that needs no fresh randomness. */
export function createCrypto(state: RealmState, host: HostPort): { crypto: object; CryptoKey: unknown } {
  const run = (op: string, params: object, inputs: readonly Uint8Array[]): string => {
    const answer = host.crypto(op, JSON.stringify(params), inputs);
    if (answer.startsWith("+")) return answer.slice(1);
    const colon = answer.indexOf(":");
    throw failure(answer.slice(1, colon), answer.slice(colon + 1));
  };
  const runBytes = (op: string, params: object, inputs: readonly Uint8Array[]): Uint8Array => {
    const result = new Uint8Array(Number(run(op, params, inputs)));
    host.take(result);
    return result;
  };
  const runBuffer = (op: string, params: object, inputs: readonly Uint8Array[]): ArrayBuffer =>
    ownBuffer(runBytes(op, params, inputs));

  const keyFor = (key: unknown, usage: string, name?: string): RealmCryptoKey => {
    if (!(key instanceof RealmCryptoKey)) throw new TypeError("expected a CryptoKey");
    if (name !== undefined && key.algorithm.name.toUpperCase() !== name) {
      throw failure("InvalidAccessError", "Key algorithm mismatch");
    }
    if (!key.usages.includes(usage))
      throw failure("InvalidAccessError", `Unable to use this key to ${usage}`);
    return key;
  };

  const material = (format: string, data: unknown, name: string, params: Params): Material => {
    if (!ASYMMETRIC.includes(name)) {
      if (format === "raw") return { kind: "secret", bytes: bytesOf(data).slice() };
      if (format === "jwk") return { kind: "secret", bytes: runBytes("jwkSecret", { jwk: data }, []) };
      throw failure("NotSupportedError", `Unable to import ${name} key with format ${format}`);
    }
    const isPrivate =
      format === "pkcs8" || (format === "jwk" && Reflect.get(Object(data), "d") !== undefined);
    const jwk = format === "jwk" ? { jwk: data } : {};
    const bytes = runBytes(
      "import",
      { format, name, private: isPrivate, namedCurve: params["namedCurve"] ?? null, ...jwk },
      format === "jwk" ? [] : [bytesOf(data)],
    );
    return { kind: isPrivate ? "private" : "public", bytes };
  };

  const importKey = (
    format: string,
    data: unknown,
    algorithm: unknown,
    extractable: boolean,
    usages: readonly string[],
  ) => {
    const params = paramsOf(algorithm);
    const key = material(format, data, params.name, params);
    const described: Algorithm = { name: standardName(params.name) };
    if (params["hash"] !== undefined) described.hash = { name: hashOf(params["hash"]) };
    if (params["namedCurve"] !== undefined) described.namedCurve = String(params["namedCurve"]);
    if (key.kind === "secret") described.length = key.bytes.length * 8;
    return new RealmCryptoKey(key, extractable, described, usages);
  };

  const exportKey = (format: string, key: unknown): ArrayBuffer | object => {
    if (!(key instanceof RealmCryptoKey)) throw new TypeError("expected a CryptoKey");
    if (!key.extractable) throw failure("InvalidAccessError", "key is not extractable");
    const bytes = RealmCryptoKey.bytes(key);
    const direct = key.type === "secret" ? "raw" : key.type === "public" ? "spki" : "pkcs8";
    if (format === direct) return ownBuffer(bytes);
    const json = runBytes("export", { format, kind: key.type }, [bytes]);
    if (format !== "jwk") return ownBuffer(json);
    const jwk: object = JSON.parse(String.fromCharCode(...json));
    return { ...jwk, ext: true, key_ops: key.usages };
  };

  const aes = (op: "encrypt" | "decrypt", algorithm: unknown, key: unknown, data: unknown): ArrayBuffer => {
    const params = paramsOf(algorithm);
    const used = keyFor(key, op, params.name);
    if (params.name === "RSA-OAEP") {
      if (op === "encrypt") throw new Error(NO_RANDOMNESS);
      const label = isBytes(params["label"]) ? bytesOf(params["label"]) : new Uint8Array(0);
      const hash = used.algorithm.hash?.name ?? "SHA-1";
      return runBuffer("oaepDecrypt", { hash }, [RealmCryptoKey.bytes(used), bytesOf(data), label]);
    }
    const iv = bytesOf(params["iv"] ?? params["counter"]);
    const extra = isBytes(params["additionalData"]) ? bytesOf(params["additionalData"]) : new Uint8Array(0);
    const tagLength = params["tagLength"] ?? 128;
    return runBuffer("aes", { op, name: params.name, tagLength }, [
      RealmCryptoKey.bytes(used),
      iv,
      bytesOf(data),
      extra,
    ]);
  };

  const deriveBits = (algorithm: unknown, key: unknown, bits: number, usage: string): Uint8Array => {
    const params = paramsOf(algorithm);
    const used = keyFor(key, usage, params.name);
    const hash = hashOf(params["hash"]);
    const salt = bytesOf(params["salt"]);
    if (params.name === "PBKDF2") {
      return runBytes("pbkdf2", { hash, bits, iterations: params["iterations"] }, [
        RealmCryptoKey.bytes(used),
        salt,
      ]);
    }
    if (params.name !== "HKDF")
      throw failure("NotSupportedError", `Unrecognized algorithm name: ${params.name}`);
    return runBytes("hkdf", { hash, bits }, [RealmCryptoKey.bytes(used), salt, bytesOf(params["info"])]);
  };

  const subtle = {
    async digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
      return runBuffer("digest", { hash: hashOf(algorithm) }, [bytesOf(data)]);
    },
    async importKey(
      format: string,
      data: unknown,
      algorithm: unknown,
      extractable: boolean,
      usages: readonly string[],
    ) {
      return importKey(format, data, algorithm, extractable, usages);
    },
    async exportKey(format: string, key: unknown) {
      return exportKey(format, key);
    },
    async sign(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
      const { name } = paramsOf(algorithm);
      if (name === "ECDSA" || name === "RSA-PSS") throw new Error(NO_RANDOMNESS);
      const used = keyFor(key, "sign", name);
      const hash = used.algorithm.hash?.name ?? null;
      return runBuffer(name === "HMAC" ? "hmac" : "sign", { name, hash }, [
        RealmCryptoKey.bytes(used),
        bytesOf(data),
      ]);
    },
    async verify(algorithm: unknown, key: unknown, signature: unknown, data: unknown): Promise<boolean> {
      const params = paramsOf(algorithm);
      const used = keyFor(key, "verify", params.name);
      const hash = params.name === "ECDSA" ? hashOf(params["hash"]) : (used.algorithm.hash?.name ?? null);
      const inputs = [RealmCryptoKey.bytes(used), bytesOf(signature), bytesOf(data)];
      return (
        run("verify", { name: params.name, hash, saltLength: params["saltLength"] ?? null }, inputs) === "t"
      );
    },
    async encrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
      return aes("encrypt", algorithm, key, data);
    },
    async decrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
      return aes("decrypt", algorithm, key, data);
    },
    async deriveBits(algorithm: unknown, key: unknown, bits: number): Promise<ArrayBuffer> {
      return ownBuffer(deriveBits(algorithm, key, bits, "deriveBits"));
    },
    async deriveKey(
      algorithm: unknown,
      key: unknown,
      derived: unknown,
      extractable: boolean,
      usages: readonly string[],
    ) {
      const bits = Number(paramsOf(derived)["length"] ?? 256);
      return importKey("raw", deriveBits(algorithm, key, bits, "deriveKey"), derived, extractable, usages);
    },
    async generateKey(): Promise<never> {
      throw new Error(NO_RANDOMNESS);
    },
  };

  const crypto = {
    subtle,
    getRandomValues<T>(target: T): T {
      const view = bytesOf(target);
      if (view.length > RANDOM_BYTES_MAX) {
        throw failure("QuotaExceededError", `The requested length exceeds ${RANDOM_BYTES_MAX} bytes`);
      }
      for (let i = 0; i < view.length; i++) view[i] = state.random.nextUint32() >>> 24;
      return target;
    },
    randomUUID(): string {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
  };
  return { crypto, CryptoKey: RealmCryptoKey };
}

const standardName = (upper: string): string =>
  upper === "RSASSA-PKCS1-V1_5" ? "RSASSA-PKCS1-v1_5" : upper === "ED25519" ? "Ed25519" : upper;
