import fs from "node:fs";
import path from "node:path";
import { loadEnvFile } from "node:process";
import { bridgeStdio } from "./stdio-bridge";
import { channelSenders } from "./stdio-channel";
import { serveStdioDirectly, UnusableCredential } from "./stdio-direct";
import { remoteEndpoint, requireKey, runOverStdio, UnusableSettings } from "./stdio-settings";

/**
 * `npm run mcp:stdio`: the MCP server for a client on this machine. Standard output carries the protocol and nothing
 * else. PONS_API_KEY is the credential. With PONS_URL, the address of a Pons installation, everything is asked there;
 * without, the server runs in this process on the backend that .env.local names.
 */
const ENV_FILE = path.resolve(import.meta.dirname, "../../.env.local");

await runOverStdio(async () => {
  const key = requireKey(process.env);
  const url = remoteEndpoint(process.env);
  if (url !== null) {
    const { stdin: input, stdout: output } = process;
    return await bridgeStdio({ url, key, input, output, senders: channelSenders(process.env) });
  }
  if (fs.existsSync(ENV_FILE)) loadEnvFile(ENV_FILE);
  try {
    await serveStdioDirectly(key);
  } catch (error) {
    throw new UnusableSettings(
      error instanceof UnusableCredential
        ? "PONS_API_KEY is not a valid key of this installation."
        : `${error instanceof Error ? error.message : String(error)}\nOr set PONS_URL to the address of a Pons installation.`,
    );
  }
});
