import type { RequestListener } from "node:http";
import path from "node:path";
import type { Duplex } from "node:stream";
import { createAuthenticator } from "./auth/authenticator";
import { Backups } from "./backup/backups";
import { Chaos } from "./chaos";
import { openFileStore } from "./files/file-store";
import { createFunctions } from "./functions/functions";
import { createApiHandler, createSiteHandler } from "./http/api-server";
import { type Listening, listen } from "./http/listen";
import { newRequestId } from "./http/request-id";
import { withSystemQueries } from "./http/system-queries";
import { createSharedQueries } from "./sync/shared-queries";
import { createSyncServer } from "./sync/sync-server";
import { openDatabase } from "./transaction/database";
import { Exports } from "./transfer/exports";
import { Imports } from "./transfer/imports";
import type { EngineOptions, Functions } from "./types";

export type Engine = {
  /** Origin of the API port: functions, files, sync protocol, CLI. */
  cloudUrl: string;
  /** Origin of the site port: the app's HTTP actions. */
  siteUrl: string;
  /** The same functions without a network in between. */
  functions: Functions;
  /** Runs of subscribed queries since the start: what a commit costs. */
  queryRuns(): number;
  /** Answers what runs (bounded), sends clients away so that they come back, and releases the data directory. */
  close(): Promise<void>;
};

/**
 * Starts a backend on one data directory and two ports, and resolves once it serves. A port of 0 is chosen by the
 * system. Throws EngineError with a sentence for the person at the shell when the directory is owned by another
 * process, a port is taken or the stored data cannot be read; nothing stays open then.
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) {
      await closer();
    }
  };
  try {
    return { ...(await compose(options, (closer) => closers.push(closer))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function compose(
  options: EngineOptions,
  onClose: (closer: () => Promise<void>) => void,
): Promise<Omit<Engine, "close">> {
  const { clock, log, redactErrors } = options;
  const chaos = options.chaosSeed === undefined ? null : new Chaos(options.chaosSeed);
  if (chaos !== null) log(`chaos is on, with the seed ${options.chaosSeed}`);
  const database = await openDatabase({ ...options, chaos });
  onClose(() => database.close());

  const closing = new AbortController();
  const ports = await openPorts(options);
  const closePorts = async () => {
    closing.abort();
    await Promise.all([ports.api.close(), ports.site.close()]);
  };
  onClose(closePorts);
  const cloudUrl = originOf(options.host, ports.api.port);
  const siteUrl = originOf(options.host, ports.site.port);
  const cloudOrigin = options.cloudOrigin ?? cloudUrl;
  const siteOrigin = options.siteOrigin ?? siteUrl;

  const files = await openFileStore({ ...options, database, cloudOrigin });
  onClose(() => files.close());
  const functions = await createFunctions({ ...options, database, chaos, files, cloudOrigin, siteOrigin });
  onClose(() => functions.stop());

  const auth = createAuthenticator({
    adminKey: options.adminKey,
    providers: () => functions.deploy.authProviders(),
    clock,
  });
  const requestId = () => newRequestId(clock);
  const run = withSystemQueries({ database, functions, cloudOrigin, siteOrigin });
  const queries = createSharedQueries({ database, run, requestId, redactErrors });
  functions.deploy.onChange(() => queries.invalidateAll());
  const sync = createSyncServer({ database, functions, queries, auth, clock, requestId, redactErrors, log });
  // First of all nobody new comes in; a second closing of the ports does nothing.
  onClose(async () => {
    await Promise.all([sync.close(), closePorts()]);
  });

  const transfer = { database, files, clock, log };
  const exports = new Exports({ ...transfer, folder: path.join(options.dataDir, "transfer", "exports") });
  const imports = new Imports({ ...transfer, folder: path.join(options.dataDir, "transfer", "imports") });
  const backups = new Backups({ ...transfer, dataDir: options.dataDir });
  await Promise.all([exports.open(), imports.open(), backups.open()]);
  onClose(async () => {
    await Promise.all([exports.close(), imports.close(), backups.close()]);
  });

  const http = {
    // The HTTP client of the CLI asks system queries, too.
    functions: { ...functions, query: run },
    latestTs: () => database.latestTs,
    files,
    exports,
    imports,
    backups,
    auth,
    clock,
    cloudOrigin,
    siteOrigin,
    redactErrors,
    closing: closing.signal,
    log,
  };
  await functions.start();
  ports.serve(createApiHandler(http), createSiteHandler(http), sync.upgrade);
  return { cloudUrl, siteUrl, functions, queryRuns: () => queries.runs };
}

/** Where this machine reaches a server that listens on `host`; one that listens everywhere is reached by loopback. */
function originOf(host: string, port: number): string {
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

type Upgrade = ReturnType<typeof createSyncServer>["upgrade"];

const notYet: RequestListener = (_, response) => {
  response.writeHead(503, { "content-type": "application/json", "retry-after": "1" });
  response.end('{"code":"Starting","message":"The server is starting."}');
};

/** Both ports, open at once so that a taken one ends the start; they answer 503 until `serve` gives them handlers. */
async function openPorts(options: EngineOptions): Promise<{
  api: Listening;
  site: Listening;
  serve(api: RequestListener, site: RequestListener, upgrade: Upgrade): void;
}> {
  const { host, clock } = options;
  const handlers = { api: notYet, site: notYet };
  let upgrade: Upgrade = (_, socket: Duplex) => socket.destroy();
  const api = await listen("API", { host, port: options.port }, clock, (...args) => handlers.api(...args));
  try {
    const site = await listen("site", { host, port: options.sitePort }, clock, (...args) =>
      handlers.site(...args),
    );
    api.server.on("upgrade", (...args) => upgrade(...args));
    return {
      api,
      site,
      serve(apiHandler, siteHandler, onUpgrade) {
        handlers.api = apiHandler;
        handlers.site = siteHandler;
        upgrade = onUpgrade;
      },
    };
  } catch (error) {
    await api.close();
    throw error;
  }
}
