import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Authenticator } from "../auth/authenticator";
import type { Backups } from "../backup/backups";
import type { Clock } from "../clock";
import type { FileStore } from "../files/file-store";
import type { Exports } from "../transfer/exports";
import type { Imports } from "../transfer/imports";
import type { Functions, Timestamp } from "../types";
import { encodeTs } from "../wire-timestamp";
import { allowOrigin, answerJson, answerPreflight, answerText, type Exchange } from "./answer";
import { CLI_ROUTES } from "./cli-routes";
import {
  callAnyFunction,
  callByPath,
  callFunction,
  callQueryAtTs,
  callQueryBatch,
  callQueryByUrl,
  requireAdmin,
} from "./function-routes";
import { actionRequest, sendActionResponse } from "./http-actions";
import { errorAnswer, HttpError } from "./http-error";
import { newRequestId } from "./request-id";
import { serveFile, uploadFile } from "./storage-routes";
import { transferRoute } from "./transfer-routes";

/** What `/version` says; clients print it and compare nothing. */
const ENGINE_VERSION = "0.1.0";
const INSTANCE_NAME = "local";

export type HttpServerParts = {
  functions: Functions;
  latestTs: () => Timestamp;
  files: FileStore;
  auth: Authenticator;
  exports: Exports;
  imports: Imports;
  backups: Backups;
  clock: Clock;
  cloudOrigin: string;
  siteOrigin: string;
  redactErrors: boolean;
  /** Fires at shutdown. */
  closing: AbortSignal;
  log: (line: string) => void;
};

type Route = (exchange: Exchange) => Promise<void> | void;

/** Answers the API port: functions over HTTP, files, the CLI, and HTTP actions under `/http`. */
export function createApiHandler(parts: HttpServerParts): RequestListener {
  const routes = exactRoutes(parts);
  return (request, response) => {
    void answer(parts, request, response, async (exchange) => {
      const { pathname } = exchange.url;
      if (pathname === "/http" || pathname.startsWith("/http/")) {
        await runHttpAction(parts, exchange, exchange.url.pathname.slice("/http".length) || "/");
        return;
      }
      allowOrigin(exchange);
      if (request.method === "OPTIONS") {
        answerPreflight(exchange);
        return;
      }
      const route = routes.get(`${request.method} ${pathname}`) ?? prefixRoute(parts, exchange);
      if (route === null) {
        throw new HttpError(404, "NotFound", `There is no ${request.method} ${pathname}.`);
      }
      await route(exchange);
    });
  };
}

/** Answers the site port: every path belongs to the app's HTTP actions. */
export function createSiteHandler(parts: HttpServerParts): RequestListener {
  return (request, response) => {
    void answer(parts, request, response, (exchange) =>
      runHttpAction(parts, exchange, exchange.url.pathname),
    );
  };
}

const functionRoutes = (parts: HttpServerParts) => ({
  functions: parts.functions,
  latestTs: parts.latestTs,
  identify: (exchange: Exchange) => parts.auth.identify(exchange.request.headers.authorization),
  requestId: () => newRequestId(parts.clock),
  redactErrors: parts.redactErrors,
});

function exactRoutes(parts: HttpServerParts): Map<string, Route> {
  const calls = functionRoutes(parts);
  const cli = {
    deploy: parts.functions.deploy,
    clock: parts.clock,
    cloudOrigin: parts.cloudOrigin,
    siteOrigin: parts.siteOrigin,
    closing: parts.closing,
  };
  const routes = new Map<string, Route>([
    ["GET /", (exchange) => answerText(exchange, "This Convex deployment is running.")],
    ["GET /version", (exchange) => answerText(exchange, ENGINE_VERSION)],
    ["GET /instance_name", (exchange) => answerText(exchange, INSTANCE_NAME)],
    ["POST /api/query", (exchange) => callFunction(exchange, "query", calls)],
    ["GET /api/query", (exchange) => callQueryByUrl(exchange, calls)],
    ["POST /api/query_ts", (exchange) => answerJson(exchange, 200, { ts: encodeTs(parts.latestTs()) })],
    ["POST /api/query_at_ts", (exchange) => callQueryAtTs(exchange, calls)],
    ["POST /api/mutation", (exchange) => callFunction(exchange, "mutation", calls)],
    ["POST /api/action", (exchange) => callFunction(exchange, "action", calls)],
    ["POST /api/function", (exchange) => callAnyFunction(exchange, calls)],
    ["POST /api/query_batch", (exchange) => callQueryBatch(exchange, calls)],
    ["POST /api/storage/upload", (exchange) => uploadFile(exchange, parts.files)],
    ["POST /api/debug_event", (exchange) => answerJson(exchange, 200, null)],
  ]);
  for (const [name, route] of CLI_ROUTES) {
    routes.set(name, async (exchange) => {
      requireAdmin(await calls.identify(exchange));
      await route(exchange, cli);
    });
  }
  return routes;
}

function prefixRoute(parts: HttpServerParts, asked: Exchange): Route | null {
  const { request, url } = asked;
  const transfer = transferRoute(asked);
  if (transfer !== null) {
    return async (exchange) => {
      requireAdmin(await functionRoutes(parts).identify(exchange));
      await transfer(exchange, parts);
    };
  }
  if (request.method === "POST" && url.pathname.startsWith("/api/run/")) {
    return (exchange) => callByPath(exchange, functionRoutes(parts));
  }
  const reads = request.method === "GET" || request.method === "HEAD";
  return reads && url.pathname.startsWith("/api/storage/")
    ? (exchange) => serveFile(exchange, parts.files)
    : null;
}

async function runHttpAction(parts: HttpServerParts, exchange: Exchange, path: string): Promise<void> {
  const request = actionRequest(exchange, path + exchange.url.search, new URL(parts.siteOrigin).host);
  const identity = await parts.auth.identifyLeniently(exchange.request.headers.authorization);
  await sendActionResponse(await parts.functions.http(request, identity), exchange.response, parts.log);
}

/** Runs one request to its end; whatever is thrown becomes `{code, message}`, defects also a line in the log. */
async function answer(
  parts: HttpServerParts,
  request: IncomingMessage,
  response: ServerResponse,
  run: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  try {
    await run({ request, response, url: requestUrl(request) });
  } catch (error) {
    if (response.destroyed) {
      return; // The caller has gone; there is nobody to tell.
    }
    const requestId = newRequestId(parts.clock);
    const shown = errorAnswer(error) ?? {
      status: 500,
      code: "InternalServerError",
      message: `[Request ID: ${requestId}] The server failed. Its log says why.`,
      headers: {},
    };
    if (shown.status >= 500) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      parts.log(`[Request ID: ${requestId}] ${request.method} ${request.url} failed: ${reason}`);
    }
    if (response.headersSent) {
      response.destroy(); // A half-sent answer must not look whole.
      return;
    }
    const body = JSON.stringify({ code: shown.code, message: shown.message });
    response.writeHead(shown.status, { "content-type": "application/json", ...shown.headers }).end(body);
  }
}

function requestUrl(request: IncomingMessage): URL {
  const target = request.url ?? "/";
  const address = target.startsWith("/") ? `http://engine${target}` : target;
  if (!URL.canParse(address)) {
    throw new HttpError(400, "BadRequest", "The request target is not a URL path.");
  }
  return new URL(address);
}
