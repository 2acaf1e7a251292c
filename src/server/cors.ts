/**
 * Headers for the addresses that browsers of other sites may call. They carry no cookies: whoever calls brings a
 * credential of their own in a header, so any origin may read the answer.
 */
const CORS_HEADERS: Readonly<Record<string, string>> = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, Retry-After",
};

const PREFLIGHT_HEADERS: Readonly<Record<string, string>> = {
  ...CORS_HEADERS,
  "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
  "access-control-allow-headers":
    "Authorization, Content-Type, Accept, X-API-Key, X-MCP-Readonly, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID, traceparent, tracestate",
  // Two hours are the longest that Chromium keeps a preflight.
  "access-control-max-age": "7200",
};

/** The response, readable by scripts of any site. */
export function withCors(response: Response): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(CORS_HEADERS)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

export const answerPreflight = (): Response =>
  new Response(null, { status: 204, headers: PREFLIGHT_HEADERS });
