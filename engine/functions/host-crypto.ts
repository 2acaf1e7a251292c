import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  pbkdf2Sync,
  privateDecrypt,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { z } from "zod";

/**
 * The arithmetic behind the realm's `crypto.subtle`, all of it synchronous, so that a query or mutation never waits
 * on anything but the database. Keys cross as bytes (raw, SPKI or PKCS #8) and are not kept.
 */

const hash = z
  .enum(["SHA-1", "SHA-256", "SHA-384", "SHA-512"])
  .transform((name) => name.replace("-", "").toLowerCase());
const jwk = z.record(z.string(), z.unknown());

type Inputs = readonly Uint8Array[];
type Answer = Uint8Array | boolean;

class CryptoFailure extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

const input = (inputs: Inputs, n: number): Uint8Array => {
  const bytes = inputs[n];
  if (bytes === undefined) throw new CryptoFailure("OperationError", "an input is missing");
  return bytes;
};

const publicKey = (der: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
const privateKey = (der: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

const operations: { [op: string]: (params: unknown, inputs: Inputs) => Answer } = {
  digest: (params, inputs) =>
    createHash(z.object({ hash }).parse(params).hash).update(input(inputs, 0)).digest(),

  hmac: (params, inputs) =>
    createHmac(z.object({ hash }).parse(params).hash, input(inputs, 0)).update(input(inputs, 1)).digest(),

  jwkSecret: (params) => {
    const parsed = z.object({ jwk: z.object({ kty: z.literal("oct"), k: z.string() }) }).safeParse(params);
    if (!parsed.success) throw new CryptoFailure("DataError", "Invalid keyData");
    return Buffer.from(parsed.data.jwk.k, "base64url");
  },

  import: (params, inputs) => {
    const given = importParams.parse(params);
    if (given.jwk !== undefined) {
      const key = given.private
        ? createPrivateKey({ key: given.jwk, format: "jwk" })
        : createPublicKey({ key: given.jwk, format: "jwk" });
      return key.export({ format: "der", type: given.private ? "pkcs8" : "spki" });
    }
    const bytes = input(inputs, 0);
    if (given.format === "spki") return publicKey(bytes).export({ format: "der", type: "spki" });
    if (given.format === "pkcs8") return privateKey(bytes).export({ format: "der", type: "pkcs8" });
    return createPublicKey({ key: rawPublic(given, bytes), format: "jwk" }).export({
      format: "der",
      type: "spki",
    });
  },

  export: (params, inputs) => {
    const { format, kind } = exportParams.parse(params);
    const bytes = input(inputs, 0);
    if (kind === "secret") return Buffer.from(JSON.stringify({ kty: "oct", k: base64url(bytes) }));
    const made = (kind === "public" ? publicKey(bytes) : privateKey(bytes)).export({ format: "jwk" });
    if (format === "jwk") return Buffer.from(JSON.stringify(made));
    if (format !== "raw" || kind !== "public" || typeof made.x !== "string") {
      throw new CryptoFailure("NotSupportedError", `Unable to export the key with format ${format}`);
    }
    const x = Buffer.from(made.x, "base64url");
    return typeof made.y === "string"
      ? Buffer.concat([Buffer.of(4), x, Buffer.from(made.y, "base64url")])
      : x;
  },

  sign: (params, inputs) => {
    const given = signParams.parse(params);
    return sign(given.hash, input(inputs, 1), privateKey(input(inputs, 0)));
  },

  verify: (params, inputs) => {
    const given = signParams.parse(params);
    const [key, signature, data] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    if (given.name === "HMAC") {
      const expected = createHmac(given.hash ?? "sha256", key)
        .update(data)
        .digest();
      return expected.length === signature.length && timingSafeEqual(expected, signature);
    }
    if (given.name === "ECDSA") {
      return verify(given.hash, data, { key: publicKey(key), dsaEncoding: "ieee-p1363" }, signature);
    }
    if (given.name !== "RSA-PSS") return verify(given.hash, data, publicKey(key), signature);
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    return verify(
      given.hash,
      data,
      { key: publicKey(key), padding, saltLength: given.saltLength ?? 0 },
      signature,
    );
  },

  aes: (params, inputs) => {
    const { op, name, tagLength } = aesParams.parse(params);
    const [key, iv, data, extra] = [input(inputs, 0), input(inputs, 1), input(inputs, 2), input(inputs, 3)];
    const bits = key.length * 8;
    if (name === "AES-GCM") return aesGcm(op, bits, key, iv, data, extra, tagLength / 8);
    const make = op === "encrypt" ? createCipheriv : createDecipheriv;
    const cipher = make(`aes-${bits}-${name === "AES-CBC" ? "cbc" : "ctr"}`, key, iv);
    return Buffer.concat([cipher.update(data), cipher.final()]);
  },

  oaepDecrypt: (params, inputs) =>
    privateDecrypt(
      {
        key: privateKey(input(inputs, 0)),
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: z.object({ hash }).parse(params).hash,
        oaepLabel: Buffer.from(input(inputs, 2)),
      },
      input(inputs, 1),
    ),

  pbkdf2: (params, inputs) => {
    const given = z.object({ hash, bits: byteBits, iterations: z.int().positive() }).parse(params);
    return pbkdf2Sync(input(inputs, 0), input(inputs, 1), given.iterations, given.bits / 8, given.hash);
  },

  hkdf: (params, inputs) => {
    const given = z.object({ hash, bits: byteBits }).parse(params);
    return new Uint8Array(
      hkdfSync(given.hash, input(inputs, 0), input(inputs, 1), input(inputs, 2), given.bits / 8),
    );
  },
};

/** Derived lengths are whole bytes; the upper end keeps one call from making megabytes. */
const byteBits = z.int().positive().multipleOf(8).max(65_536);
const importParams = z.object({
  format: z.string(),
  name: z.string(),
  private: z.boolean(),
  namedCurve: z.string().nullable(),
  jwk: jwk.optional(),
});
const exportParams = z.object({ format: z.string(), kind: z.enum(["secret", "public", "private"]) });
const signParams = z.object({
  name: z.string(),
  hash: hash.nullable(),
  saltLength: z.int().nonnegative().nullable().default(null),
});
const aesParams = z.object({
  op: z.enum(["encrypt", "decrypt"]),
  name: z.enum(["AES-GCM", "AES-CBC", "AES-CTR"]),
  tagLength: z.number(),
});

function rawPublic(given: z.infer<typeof importParams>, bytes: Uint8Array): { [field: string]: string } {
  if (given.name === "ED25519") return { kty: "OKP", crv: "Ed25519", x: base64url(bytes) };
  if (given.name !== "ECDSA" || bytes[0] !== 4 || bytes.length % 2 !== 1) {
    throw new CryptoFailure("DataError", "Invalid keyData");
  }
  const half = (bytes.length - 1) / 2;
  const [x, y] = [bytes.subarray(1, 1 + half), bytes.subarray(1 + half)];
  return { kty: "EC", crv: given.namedCurve ?? "P-256", x: base64url(x), y: base64url(y) };
}

function aesGcm(
  op: "encrypt" | "decrypt",
  bits: number,
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
  extra: Uint8Array,
  authTagLength: number,
): Uint8Array {
  const name = bits === 128 ? "aes-128-gcm" : bits === 192 ? "aes-192-gcm" : "aes-256-gcm";
  if (op === "encrypt") {
    const cipher = createCipheriv(name, key, iv, { authTagLength });
    cipher.setAAD(extra);
    return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
  }
  const cut = data.length - authTagLength;
  if (cut < 0) throw new CryptoFailure("OperationError", "The provided data is too small.");
  const decipher = createDecipheriv(name, key, iv, { authTagLength });
  decipher.setAAD(extra);
  decipher.setAuthTag(data.subarray(cut));
  return Buffer.concat([decipher.update(data.subarray(0, cut)), decipher.final()]);
}

/** Bytes of a result, or text: "+t", "+f" or "-name:message". Never throws: a host error must not enter a realm. */
export function cryptoAnswer(op: string, paramsJson: string, inputs: Inputs): Uint8Array | string {
  try {
    const answer = operations[op]?.(JSON.parse(paramsJson), inputs);
    if (answer === undefined) return `-NotSupportedError:Unknown operation ${op}`;
    return typeof answer === "boolean" ? (answer ? "+t" : "+f") : answer;
  } catch (error) {
    if (error instanceof CryptoFailure) return `-${error.name}:${error.message}`;
    const isImport = op === "import" || op === "jwkSecret";
    const why =
      error instanceof Error && !(error instanceof z.ZodError) ? error.message : "invalid parameters";
    return isImport ? "-DataError:Invalid keyData" : `-OperationError:The operation failed: ${why}`;
  }
}
