import { withCors } from "./cors";
import { serverEnv } from "./env";
import { jsonResponse } from "./route";

/** What a client should ask for; everything narrower is contained in these. */
export const ADVERTISED_SCOPES = ["read", "write", "send"] as const;

export const mcpResourceUrl = (): string => `${serverEnv().SITE_URL}/api/mcp`;

export const resourceMetadataUrl = (): string =>
  `${serverEnv().SITE_URL}/api/auth/.well-known/oauth-protected-resource`;

/**
 * RFC 9728 metadata of the MCP endpoint. It names no authorization server, because there is none to name: the
 * endpoint takes API keys. RFC 9728 section 2 makes the list optional.
 */
export function answerResourceMetadata(): Response {
  return withCors(
    jsonResponse({
      resource: mcpResourceUrl(),
      resource_name: "Pons",
      scopes_supported: ADVERTISED_SCOPES,
      bearer_methods_supported: ["header"],
    }),
  );
}
