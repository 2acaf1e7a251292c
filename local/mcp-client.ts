import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

/** A genuine MCP client, as an agent would use: the demonstration and the whole-product tests speak through it. */
export async function connectMcp(siteUrl: string, apiKey: string): Promise<Client> {
  const client = new Client(
    { name: "pons-demo", version: "1.0.0" },
    { versionNegotiation: { mode: "auto" } },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL("/api/mcp", siteUrl), {
      requestInit: { headers: { authorization: `Bearer ${apiKey}` } },
    }),
  );
  return client;
}
