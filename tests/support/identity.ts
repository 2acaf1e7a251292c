import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

/** An issuer as `auth.config.ts` of the chat app trusts it: its key set as a data: URL, and tokens on demand. */
export async function makeIssuer() {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: "chat-1", alg: "ES256", use: "sig" };
  return {
    jwks: `data:application/json,${encodeURIComponent(JSON.stringify({ keys: [jwk] }))}`,
    /** A token of `subject` that ends `lifeSeconds` from now. */
    token: (subject: string, lifeSeconds = 600, claims: JWTPayload = {}): Promise<string> => {
      const nowSeconds = Math.floor(Date.now() / 1000);
      return new SignJWT({ ...claims })
        .setProtectedHeader({ alg: "ES256", kid: "chat-1" })
        .setIssuer("https://issuer.example")
        .setSubject(subject)
        .setAudience("chat")
        .setIssuedAt(claims.iat ?? nowSeconds)
        .setExpirationTime(nowSeconds + lifeSeconds)
        .sign(privateKey);
    },
  };
}
