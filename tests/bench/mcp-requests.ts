/** The revisions of MCP that the product serves at one address, each as its own clients speak it. */
export type Era = "2026-07-28" | "2025-11-25";

export type McpRequest = { method: string; params: Record<string, unknown> };

/** The body of one JSON-RPC request of the era. */
export function mcpBody(era: Era, { method, params }: McpRequest): string {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": era,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const own = era === "2026-07-28" ? { ...params, _meta } : params;
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: own });
}

export function mcpHeaders(
  era: Era,
  { method, params }: McpRequest,
  { key, session }: { key: string; session?: string },
): Record<string, string> {
  const { name } = params;
  return {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": era,
    ...(era === "2026-07-28" && { "mcp-method": method }),
    ...(era === "2026-07-28" && typeof name === "string" && { "mcp-name": name }),
    ...(session !== undefined && { "mcp-session-id": session }),
  };
}

/** The whole request as bytes, for a client that does nothing but write them. */
export function mcpRequestBytes(url: string, era: Era, request: McpRequest, key: string): Buffer {
  const { host, pathname } = new URL(url);
  const body = mcpBody(era, request);
  const headers = { host, ...mcpHeaders(era, request, { key }), "content-length": Buffer.byteLength(body) };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n${body}`);
}
