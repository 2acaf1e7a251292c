import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "./clock";
import type { EngineOptions } from "./types";

export const USAGE = `Usage: npm run engine -- [--port 3210] [--site-port 3211] [--data .pons] [--admin-key KEY]
  [--host 127.0.0.1] [--cloud-origin URL] [--site-origin URL] [--isolation fresh|reuse] [--redact-errors]
   or: npm run engine -- verify [--data .pons]   looks through a stopped engine's data and says what is damaged
   or: npm run engine -- backup FILE [--data .pons] [--url URL] [--admin-key KEY]   copies all data, running or not
   or: npm run engine -- restore FILE [--data .pons]   makes a new data directory out of a backup

Stricter than a deployment, to find what would fail there only sometimes:
  --limit-scale 0.25   a quarter of every limit of transactions (or ENGINE_LIMIT_SCALE)
  --chaos SEED         calls interleave, mutations and queries run twice and are compared, mutations lose,
                       crons are late, creation times out of order, Node workers go away (or ENGINE_CHAOS)
  --compat 1.45        the version of the self-hosted backend that is played, and the only one
                       (or ENGINE_COMPAT); API that came later is refused`;

/** Newer system calls than those of this backend are unknown to the engine. */
const COMPAT = "1.45";

type Environment = { readonly [name: string]: string | undefined };

/** A wrong command line: the sentence is all that its author needs. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads the command's flags; what is missing has a default. Throws UsageError with a sentence that names the flag.
 * @param say hears where an admin key was written that had to be made
 * @param environment variables that stand in for flags which are not given
 */
export function parseCommandLine(
  args: string[],
  say: (line: string) => void,
  environment: Environment = {},
): EngineOptions | "help" {
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
  checkCompat(flags.compat ?? environment["ENGINE_COMPAT"] ?? COMPAT);
  const limitScale = readLimitScale(flags["limit-scale"] ?? environment["ENGINE_LIMIT_SCALE"]);
  const chaosSeed = readSeed(flags.chaos ?? environment["ENGINE_CHAOS"]);
  return {
    dataDir,
    host: flags.host,
    port: readPort("--port", flags.port),
    sitePort: readPort("--site-port", flags["site-port"]),
    adminKey: readAdminKey(flags["admin-key"], dataDir, say),
    ...(cloudOrigin === undefined ? {} : { cloudOrigin }),
    ...(siteOrigin === undefined ? {} : { siteOrigin }),
    ...(limitScale === undefined ? {} : { limitScale }),
    ...(chaosSeed === undefined ? {} : { chaosSeed }),
    redactErrors: flags["redact-errors"],
    isolation,
    fsync: "full",
    clock: systemClock,
    log: (line) => process.stderr.write(`${line}\n`),
  };
}

/** The data directory of a command that works on one: `--data DIR` alone. Throws UsageError. */
export function parseDataFlag(args: string[]): string {
  try {
    return resolve(
      parseArgs({
        args,
        strict: true,
        allowPositionals: false,
        options: { data: { type: "string", default: ".pons" } },
      }).values.data,
    );
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
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
        "limit-scale": { type: "string" },
        chaos: { type: "string" },
        compat: { type: "string" },
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

function checkCompat(version: string): void {
  if (version !== COMPAT) {
    throw new UsageError(`--compat must be ${COMPAT}, not ${version}: no other version is played.`);
  }
}

function readLimitScale(text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const scale = Number(text);
  if (!(scale > 0 && scale <= 1)) {
    throw new UsageError(`--limit-scale must be a number above 0 and at most 1, not ${text}.`);
  }
  return scale;
}

function readSeed(text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  if (!/^\d{1,15}$/.test(text)) {
    throw new UsageError(`--chaos must be a whole number to draw from, not ${text}.`);
  }
  return Number(text);
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
