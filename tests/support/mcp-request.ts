import { SITE_URL } from "./in-process";

/** One JSON-RPC request of a key to the endpoint, as a client of 2025 without a session sends it. */
export const mcpRequest = (key: string, method: string, params: object = {}, query = ""): Request =>
  new Request(`${SITE_URL}/api/mcp${query}`, {
    method: "POST",
    headers: {
      host: "localhost:3000",
      "content-type": "application/json",
      accept: "application/json",
      authorization: `Bearer ${key}`,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
