import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "./clock";
import type { EngineOptions } from "./types";

export const USAGE = `Usage: npm run engine -- [--port 3210] [--site-port 3211] [--data .pons] [--admin-key KEY]
  [--host 127.0.0.1] [--cloud-origin URL] [--site-origin URL] [--isolation fresh|reuse] [--redact-errors]`;

/** A wrong command line: the sentence is all that its author needs. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads the command's flags; what is missing has a default. Throws UsageError with a sentence that names the flag.
 * @param say hears where an admin key was written that had to be made
 */
export function parseCommandLine(args: string[], say: (line: string) => void): EngineOptions | "help" {
  const flags = readFlags(args);
  if (flags.help) {
    return "help";
  }
  const dataDir = resolve(flags.data);
  const { isolation } = flags;
  if (isolation !== "fresh" && isolation !== "reuse") {
    throw new UsageError(`--isolation must be fresh or reuse, not ${isolation}.`);
  }
  const cloudOrigin = readOrigin("--cloud-origin", flags["cloud-origin"]);
  const siteOrigin = readOrigin("--site-origin", flags["site-origin"]);
  return {
    dataDir,
    host: flags.host,
    port: readPort("--port", flags.port),
    sitePort: readPort("--site-port", flags["site-port"]),
    adminKey: readAdminKey(flags["admin-key"], dataDir, say),
    ...(cloudOrigin === undefined ? {} : { cloudOrigin }),
    ...(siteOrigin === undefined ? {} : { siteOrigin }),
    redactErrors: flags["redact-errors"],
    isolation,
    fsync: "full",
    clock: systemClock,
    log: (line) => process.stderr.write(`${line}\n`),
  };
}

function readFlags(args: string[]) {
  try {
    return parseArgs({
      args,
      strict: true,
      allowPositionals: false,
      options: {
        port: { type: "string", default: "3210" },
        "site-port": { type: "string", default: "3211" },
        host: { type: "string", default: "127.0.0.1" },
        data: { type: "string", default: ".pons" },
        "admin-key": { type: "string" },
        "cloud-origin": { type: "string" },
        "site-origin": { type: "string" },
        isolation: { type: "string", default: "fresh" },
        "redact-errors": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

function readPort(flag: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) {
    throw new UsageError(`${flag} must be a port from 0 to 65535, not ${text}.`);
  }
  return port;
}

function readOrigin(flag: string, text: string | undefined): string | undefined {
  if (text === undefined) {
    return undefined;
  }
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new UsageError(`${flag} must be an http or https URL, not ${text}.`);
  }
  return new URL(text).origin;
}

/** The key given, or one made at the first start and kept in the data directory for its owner alone. */
function readAdminKey(given: string | undefined, dataDir: string, say: (line: string) => void): string {
  if (given !== undefined) {
    if (given === "" || /\s/.test(given)) {
      throw new UsageError("--admin-key must be a text without spaces.");
    }
    return given;
  }
  const file = join(dataDir, "admin-key");
  try {
    mkdirSync(dataDir, { recursive: true });
    if (existsSync(file)) {
      return readFileSync(file, "utf8").trim();
    }
    const key = `local|${Buffer.from(systemClock.randomBytes(32)).toString("hex")}`;
    writeFileSync(file, `${key}\n`, { flag: "wx", mode: 0o600 });
    say(`The admin key was made and is kept in ${file}.`);
    return key;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`The data directory ${dataDir} cannot be used: ${reason}.`);
  }
}
