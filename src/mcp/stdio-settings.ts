/** Settings with which a process that speaks over its pipe cannot begin; the message is for the person who set them. */
export class UnusableSettings extends Error {
  override readonly name = "UnusableSettings";
}

/** The credential. Throws UnusableSettings when there is none. */
export function requireKey({ PONS_API_KEY: key }: NodeJS.ProcessEnv): string {
  if (key !== undefined && key !== "") return key;
  throw new UnusableSettings("PONS_API_KEY is not set: make a key with `npm run pons -- keys create`.");
}

/**
 * The MCP endpoint of the installation that PONS_URL names, or null where it names none. Throws UnusableSettings for
 * what is no address, and for plain http to another machine, because a key must not travel in the clear.
 */
export function remoteEndpoint({ PONS_URL: site }: NodeJS.ProcessEnv): URL | null {
  if (site === undefined || site === "") return null;
  const url = URL.canParse(site) ? new URL("/api/mcp", site) : null;
  const isLocal = url !== null && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLocal)) return url;
  throw new UnusableSettings(
    "PONS_URL must be https, or http on this machine, for example https://pons.example.com.",
  );
}

/** Runs such a process. Standard output is the protocol's, so what ends it early is said on standard error. */
export async function runOverStdio(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UnusableSettings)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
