import {
  type AuthInfo,
  createMcpHandler,
  hostHeaderValidationResponse,
  isLegacyRequest,
  originValidationResponse,
  preloadSchemas,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { defined } from "#shared/defined";
import { SECOND_MS } from "#shared/time";
import { AppError } from "../server/app-error";
import { readBody } from "../server/body";
import { answerPreflight, withCors } from "../server/cors";
import { presentedCredential, resolveCredential } from "../server/credentials";
import { LOOPBACK_HOSTS, serverEnv } from "../server/env";
import { ADVERTISED_SCOPES, resourceMetadataUrl } from "../server/oauth-metadata";
import { takeRequest } from "../server/request-limits";
import { errorResponse, jsonResponse } from "../server/route";
import { type Exchange, headOf, traceIdOf } from "./exchange";
import { narrowingOf } from "./narrowing";
import { buildServer } from "./server";

/** The largest call has a text of 4096 characters; files do not travel through this endpoint. */
const BODY_BYTES_MAX = 1024 * 1024;

/** Codes of JSON-RPC 2.0, and the one that MCP's own HTTP transport uses for everything else. */
const RPC = { parseError: -32700, invalidRequest: -32600, transport: -32000 } as const;

// Otherwise the first call of the process waits for the SDK to build its schemas.
preloadSchemas();

/** Exchanges by the object that carries them through the SDK, which knows only its own kind of identity. */
const exchanges = new WeakMap<AuthInfo, Exchange>();

const modern = createMcpHandler(
  ({ authInfo }) => {
    const exchange = authInfo && exchanges.get(authInfo);
    if (exchange === undefined) throw new Error("An MCP request reached its server without a caller.");
    return buildServer(exchange);
  },
  { legacy: "reject" },
);

/**
 * MCP over Streamable HTTP, without sessions: every request is complete in itself, so any process may answer it.
 * Serves the revision 2026-07-28 and those of 2025 at one address.
 */
export async function answerMcp(request: Request): Promise<Response> {
  const refused = refuseForeignHost(request);
  if (refused !== undefined) return refused;
  if (request.method === "OPTIONS") return answerPreflight();
  try {
    return withCors(await answer(request));
  } catch (error) {
    return withCors(errorResponse("mcp", error));
  }
}

/** Pages of other sites must not reach a server on their visitor's machine by a name that they control. */
function refuseForeignHost(request: Request): Response | undefined {
  const hosts = [new URL(serverEnv().SITE_URL).hostname, ...LOOPBACK_HOSTS];
  return hostHeaderValidationResponse(request, hosts) ?? originValidationResponse(request, hosts);
}

async function answer(request: Request): Promise<Response> {
  const credential = presentedCredential(request.headers);
  const caller = credential === null ? null : await resolveCredential(credential);
  if (caller === null) return askForCredential();
  const waitMs = await takeRequest(caller);
  if (waitMs > 0) return tooMany(waitMs);
  if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });

  const body = await readBody(request, BODY_BYTES_MAX);
  if (body === null) return rpcError(413, RPC.transport, `The body is larger than ${BODY_BYTES_MAX} bytes.`);
  const message = parseJson(body);
  if (message === undefined) return rpcError(400, RPC.parseError, "The body is not valid JSON.");
  // Batches were removed from the protocol in 2025-06-18; one request is one message, also for the limits.
  if (Array.isArray(message)) return rpcError(400, RPC.invalidRequest, "Batches are not supported.");

  const exchange: Exchange = {
    caller,
    narrowing: narrowingOf(new URL(request.url), request.headers),
    ...defined({ message: headOf(message) ?? undefined, traceId: traceIdOf(message, request.headers) }),
  };
  if (await isLegacyRequest(request, message)) return await answerLegacy(request, exchange, message);
  const authInfo: AuthInfo = {
    token: caller.principal,
    clientId: caller.principal,
    scopes: [...caller.scopes],
  };
  exchanges.set(authInfo, exchange);
  return await modern.fetch(request, { authInfo, parsedBody: message });
}

/** The one answer to every request without a valid credential, whatever is wrong with it. */
function askForCredential(): Response {
  const challenge = `Bearer resource_metadata="${resourceMetadataUrl()}", scope="${ADVERTISED_SCOPES.join(" ")}"`;
  return jsonResponse(
    { error: "invalid_token", error_description: "Send a valid API key as Authorization: Bearer <key>." },
    { status: 401, headers: { "www-authenticate": challenge } },
  );
}

/** Said before anything of the request is read, so that it is understood whatever the request was. */
function tooMany(waitMs: number): Response {
  const error = AppError.of("rate_limited", { retryAfterSeconds: Math.ceil(waitMs / SECOND_MS) });
  const response = errorResponse("mcp", error);
  response.headers.set("retry-after", String(Math.ceil(waitMs / SECOND_MS)));
  return response;
}

/** One request of a 2025 client, answered as plain JSON because nothing is ever sent before the result. */
async function answerLegacy(request: Request, exchange: Exchange, message: unknown): Promise<Response> {
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  const server = buildServer(exchange);
  await server.connect(transport);
  try {
    return await transport.handleRequest(acceptingBoth(request), { parsedBody: message });
  } finally {
    await server.close();
  }
}

/** The SDK insists on an Accept header that names both kinds of answer; a client that takes JSON gets JSON anyway. */
function acceptingBoth(request: Request): Request {
  const headers = new Headers(request.headers);
  const accept = headers.get("accept") ?? "*/*";
  if (/application\/(json|\*)|\*\/\*/.test(accept))
    headers.set("accept", "application/json, text/event-stream");
  return new Request(request.url, { method: request.method, headers, signal: request.signal });
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

const rpcError = (status: number, code: number, message: string): Response =>
  jsonResponse({ jsonrpc: "2.0", error: { code, message }, id: null }, { status });
