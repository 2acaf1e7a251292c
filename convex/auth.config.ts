import type { AuthConfig } from "convex/server";

/** A variable that the push needs; the CLI names the missing one. */
function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`Set ${name} on the deployment before pushing.`);
  return value;
}

/**
 * The Next server signs every identity (claim `use`: user, mcp or service). The key set is part of the configuration
 * as a data: URL, because a hosted backend could not fetch it from a self-hoster's loopback address.
 */
export default {
  providers: [
    {
      type: "customJwt",
      applicationID: "convex",
      issuer: required("SITE_URL"),
      jwks: `data:text/plain;charset=utf-8;base64,${btoa(required("CONVEX_IDENTITY_JWKS"))}`,
      algorithm: "ES256",
    },
  ],
} satisfies AuthConfig;
