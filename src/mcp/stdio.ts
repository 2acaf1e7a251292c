import fs from "node:fs";
import path from "node:path";
import { loadEnvFile } from "node:process";
import { bridgeStdio } from "./stdio-bridge";
import { serveStdioDirectly, UnusableCredential } from "./stdio-direct";

/**
 * `npm run mcp:stdio`: the MCP server for a client on this machine. Standard output carries the protocol and nothing
 * else. PONS_API_KEY is the credential. With PONS_URL, the address of a Pons installation, everything is asked there;
 * without, the server runs in this process on the backend that .env.local names.
 */
const ENV_FILE = path.resolve(import.meta.dirname, "../../.env.local");

async function main(): Promise<void> {
  const { PONS_API_KEY: key, PONS_URL: site } = process.env;
  if (key === undefined || key === "")
    return fail("PONS_API_KEY is not set: make a key with `npm run pons -- keys create`.");
  if (site !== undefined && site !== "") {
    const url = siteUrl(site);
    if (url === null)
      return fail("PONS_URL must be https, or http on this machine, for example https://pons.example.com.");
    return await bridgeStdio({ url, key, input: process.stdin, output: process.stdout });
  }
  if (fs.existsSync(ENV_FILE)) loadEnvFile(ENV_FILE);
  try {
    await serveStdioDirectly(key);
  } catch (error) {
    if (error instanceof UnusableCredential)
      return fail("PONS_API_KEY is not a valid key of this installation.");
    fail(
      `${error instanceof Error ? error.message : String(error)}\nOr set PONS_URL to the address of a Pons installation.`,
    );
  }
}

/** A key must not travel in the clear, so plain http is for this machine alone. */
function siteUrl(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL("/api/mcp", text);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && isLocal) ? url : null;
}

function fail(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = 1;
}

await main();
