import type { IncomingMessage, ServerResponse } from "node:http";
import type { JsonValue } from "../types";

/** How long browsers may remember a preflight (Convex: one day). */
const PREFLIGHT_SECONDS = 86_400;

export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Path and query; its origin means nothing. */
  readonly url: URL;
};

/** Sends `text`, which is JSON already. */
export function answerJsonText(exchange: Exchange, status: number, text: string): void {
  exchange.response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  exchange.response.end(text);
}

export const answerJson = (exchange: Exchange, status: number, value: JsonValue): void =>
  answerJsonText(exchange, status, JSON.stringify(value));

export function answerText(exchange: Exchange, text: string): void {
  exchange.response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  exchange.response.end(text);
}

/**
 * Lets pages of any origin call the API, as Convex does: the credential is a header that a foreign page does not
 * have, never a cookie.
 */
export function allowOrigin({ request, response }: Exchange): void {
  const { origin } = request.headers;
  if (origin !== undefined) {
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-allow-credentials", "true");
    response.setHeader("vary", "origin");
  }
}

export function answerPreflight(exchange: Exchange): void {
  const asked = exchange.request.headers["access-control-request-headers"];
  exchange.response.writeHead(204, {
    "access-control-allow-methods": "GET, POST, OPTIONS, PATCH, DELETE, PUT",
    "access-control-max-age": String(PREFLIGHT_SECONDS),
    ...(asked === undefined ? {} : { "access-control-allow-headers": asked }),
  });
  exchange.response.end();
}
