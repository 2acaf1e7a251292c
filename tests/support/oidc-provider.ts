import http from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

export type SigningKey = { kid: string; jwk: JWK; sign(claims: JWTPayload): Promise<string> };

export async function makeSigningKey(
  kid: string,
  algorithm: "RS256" | "EdDSA" | "ES256",
): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" };
  return {
    kid,
    jwk,
    sign: (claims) => new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid }).sign(privateKey),
  };
}

/** A server that an app can trust by OpenID discovery; a test changes what it publishes and how it behaves. */
export type OidcProvider = {
  domain: string;
  keys: SigningKey[];
  /** What its configuration says about itself; its own address by default. */
  issuer: string;
  /** Answers every request with this status instead. */
  broken: number | null;
  /** Paths that were asked for. */
  requests: string[];
  close(): Promise<void>;
};

export async function startOidcProvider(keys: SigningKey[]): Promise<OidcProvider> {
  const server = http.createServer((request, response) => {
    provider.requests.push(request.url ?? "");
    const answers: Record<string, object> = {
      "/.well-known/openid-configuration": {
        issuer: provider.issuer,
        jwks_uri: `${provider.domain}/keys`,
        authorization_endpoint: `${provider.domain}/authorize`,
      },
      "/keys": { keys: provider.keys.map(({ jwk }) => jwk) },
    };
    const answer = answers[request.url ?? ""];
    const status = provider.broken ?? (answer === undefined ? 404 : 200);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(status === 200 ? JSON.stringify(answer) : "{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // A TCP server has this kind of address.
  const domain = `http://127.0.0.1:${port}`;
  const provider: OidcProvider = {
    domain,
    keys,
    issuer: domain,
    broken: null,
    requests: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return provider;
}
