import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "./clock";
import { startEngine } from "./engine";
import { EngineError } from "./errors";
import type { EngineOptions } from "./types";

const USAGE = `Usage: npm run engine -- [--port 3210] [--site-port 3211] [--data .pons] [--admin-key KEY]
  [--host 127.0.0.1] [--cloud-origin URL] [--site-origin URL] [--isolation fresh|reuse] [--redact-errors]`;

/** A wrong command line: the sentence is all that its author needs. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const isExpected =
    error instanceof UsageError || (error instanceof EngineError && error.kind !== "internal");
  const text = error instanceof Error ? (isExpected ? error.message : error.stack) : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

async function main(args: string[]): Promise<void> {
  const flags = readFlags(args);
  if (flags.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const options = readOptions(flags);
  const engine = await startEngine(options);
  stopOnSignal(() => engine.close());
  process.stdout.write(
    [
      `API and sync protocol  ${engine.cloudUrl}`,
      `HTTP actions           ${engine.siteUrl}`,
      `Data                   ${options.dataDir}`,
      "Stop it with Ctrl+C or SIGTERM.",
      `ready ${engine.cloudUrl}`,
      "",
    ].join("\n"),
  );
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

function readOptions(flags: ReturnType<typeof readFlags>): EngineOptions {
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
    adminKey: readAdminKey(flags["admin-key"], dataDir),
    ...(cloudOrigin === undefined ? {} : { cloudOrigin }),
    ...(siteOrigin === undefined ? {} : { siteOrigin }),
    redactErrors: flags["redact-errors"],
    isolation,
    fsync: "full",
    clock: systemClock,
    log: (line) => process.stderr.write(`${line}\n`),
  };
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
function readAdminKey(given: string | undefined, dataDir: string): string {
  if (given !== undefined) {
    if (given === "" || /\s/.test(given)) {
      throw new UsageError("--admin-key must be a text without spaces.");
    }
    return given;
  }
  const file = join(dataDir, "admin-key");
  try {
    mkdirSync(dataDir, { recursive: true });
    const key = `local|${Buffer.from(systemClock.randomBytes(32)).toString("hex")}`;
    writeFileSync(file, `${key}\n`, { flag: "wx", mode: 0o600 });
    process.stdout.write(`The admin key was made and is kept in ${file}.\n`);
    return key;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") {
      return readFileSync(file, "utf8").trim();
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`The data directory ${dataDir} cannot be used: ${reason}.`);
  }
}

/** The first signal ends cleanly; a second one, while that takes long, at once. */
function stopOnSignal(close: () => Promise<void>): void {
  let stopping = false;
  const stop = () => {
    if (stopping) {
      process.exit(1);
    }
    stopping = true;
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}
