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
import { api } from "../../convex/_generated/api";
import { AppError } from "../server/app-error";
import { readBody } from "../server/body";
import type { Caller } from "../server/caller";
import { clientAddress } from "../server/client-address";
import { mutateAs } from "../server/convex";
import { answerPreflight, withCors } from "../server/cors";
import { presentedCredential, resolveCredential } from "../server/credentials";
import { LOOPBACK_HOSTS, serverEnv } from "../server/env";
import { ADVERTISED_SCOPES, resourceMetadataUrl } from "../server/oauth-metadata";
import { takeRequest } from "../server/request-limits";
import { errorResponse, jsonResponse } from "../server/route";
import { type Exchange, headOf, type MessageHead, NO_SUBSCRIPTIONS, traceIdOf } from "./exchange";
import { narrowingOf } from "./narrowing";
import { answerListen } from "./push/listen";
import { answerSessionStream } from "./push/session-stream";
import { answerAsking, answeredToken, takeAnswer } from "./questions";
import { refOf } from "./resources/uris";
import { buildServer } from "./server";
import { endSession, findSession, issueSession, type Session } from "./sessions";

/** The largest call has a text of 4096 characters; files do not travel through this endpoint. */
const BODY_BYTES_MAX = 1024 * 1024;

/** Codes of JSON-RPC 2.0, and the one that MCP's own HTTP transport uses for everything else. */
const RPC = {
  parseError: -32700,
  invalidRequest: -32600,
  transport: -32000,
  sessionNotFound: -32001,
} as const;

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
 * MCP over Streamable HTTP: every request is complete in itself, so any process may answer it, and a session is only a
 * name under which clients of 2025 subscribe. Serves the revision 2026-07-28 and those of 2025 at one address.
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
  const caller =
    credential === null ? null : await resolveCredential(credential, clientAddress(request.headers));
  if (caller === null) return askForCredential();
  const waitMs = await takeRequest(caller);
  if (waitMs > 0) return tooMany(waitMs);
  const sessionId = serverEnv().MCP_SESSIONS === "on" ? request.headers.get("mcp-session-id") : null;
  const session = sessionId === null ? null : await findSession(caller, sessionId);
  if (request.method !== "POST") return await answerSessionMethod(request, caller, sessionId, session);

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
  if (await isLegacyRequest(request, message)) {
    if (sessionId !== null && session === null) return sessionNotFound(exchange.message?.id ?? null);
    if (session === null) return await answerLegacy(request, exchange, message);
    return await answerInSession(request, withSession(exchange, session), session, message);
  }
  // In the newer protocol a request is the subscription, so nothing of a connection has to be kept.
  const subscribable = { ...exchange, subscriptions: NO_SUBSCRIPTIONS };
  if (exchange.message?.method === "subscriptions/listen") {
    return await answerListen(request, subscribable, message);
  }
  const authInfo: AuthInfo = {
    token: caller.principal,
    clientId: caller.principal,
    scopes: [...caller.scopes],
  };
  exchanges.set(authInfo, subscribable);
  return await modern.fetch(request, { authInfo, parsedBody: message });
}

/** In a session the client can also be asked something, and answers in a request of its own. */
async function answerInSession(
  request: Request,
  exchange: Exchange,
  session: Session,
  message: unknown,
): Promise<Response> {
  const { caller, message: head } = exchange;
  const token = answeredToken(message);
  if (token !== null) {
    await takeAnswer(caller, token, message);
    return new Response(null, { status: 202 });
  }
  if (!session.elicits || head?.method !== "tools/call")
    return await answerLegacy(request, exchange, message);
  return await answerAsking({ request, caller, id: head.id }, async (ask) =>
    answerLegacy(request, { ...exchange, ask }, message),
  );
}

/** A stream for a session, or its end; without a session there is neither, and clients do without. */
async function answerSessionMethod(
  request: Request,
  caller: Caller,
  sessionId: string | null,
  session: Session | null,
): Promise<Response> {
  const isKnown = request.method === "GET" || request.method === "DELETE";
  if (sessionId === null || !isKnown) return new Response(null, { status: 405, headers: { allow: "POST" } });
  if (session === null) return sessionNotFound(null);
  if (request.method === "GET") return answerSessionStream(request, caller, session);
  await endSession(caller, session);
  return new Response(null, { status: 200 });
}

/** What the protocol says for a session that is over: the client begins a new one. */
const sessionNotFound = (id: MessageHead["id"]): Response =>
  rpcError(404, RPC.sessionNotFound, "Session not found", id);

/** The subscriptions of a session are kept in the backend, because its stream may be in another process. */
function withSession(exchange: Exchange, session: Session): Exchange {
  const { identity } = exchange.caller;
  const { id: sessionId, expiresAt } = session;
  return {
    ...exchange,
    subscriptions: {
      add: async (uri, target) => {
        const asked = { sessionId, expiresAt, uri, resource: refOf(target) };
        return (await mutateAs(identity, api.mcpSessions.subscribe, asked)) === null;
      },
      remove: async (uri) => void (await mutateAs(identity, api.mcpSessions.unsubscribe, { sessionId, uri })),
    },
  };
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
  const opens = exchange.message?.method === "initialize" && serverEnv().MCP_SESSIONS === "on";
  const server = buildServer(opens ? { ...exchange, subscriptions: NO_SUBSCRIPTIONS } : exchange);
  await server.connect(transport);
  try {
    const answering = transport.handleRequest(acceptingBoth(request), { parsedBody: message });
    const response = await unlessGone(request.signal, answering);
    if (opens && response.ok) {
      const elicits = exchange.message?.elicits === true;
      response.headers.set("mcp-session-id", issueSession(exchange.caller, elicits));
    }
    return response;
  } finally {
    await server.close();
  }
}

/** What common proxies log for a client that hung up; nobody is left to read it. */
const CLIENT_GONE_STATUS = 499;

/** The answer, or nothing at all once its client is gone: closing the server then ends what the call waits for. */
async function unlessGone(signal: AbortSignal, answering: Promise<Response>): Promise<Response> {
  let leave: () => void = () => undefined;
  const gone = new Promise<Response>((resolve) => {
    leave = () => resolve(new Response(null, { status: CLIENT_GONE_STATUS }));
  });
  signal.addEventListener("abort", leave);
  try {
    return await Promise.race([answering, gone]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** The SDK insists on an Accept header that names both kinds of answer; a client that takes JSON gets JSON anyway. */
function acceptingBoth(request: Request): Request {
  const accept = request.headers.get("accept") ?? "*/*";
  if (accept.includes("application/json") && accept.includes("text/event-stream")) return request;
  const headers = new Headers(request.headers);
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

const rpcError = (status: number, code: number, message: string, id: MessageHead["id"] = null): Response =>
  jsonResponse({ jsonrpc: "2.0", error: { code, message }, id }, { status });
