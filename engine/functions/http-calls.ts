import type { Clock } from "../clock";
import type { FunctionLog } from "../deploy/function-log";
import type { Identity } from "../types";
import { type ActionCalls, describeEnd } from "./action-calls";
import type { HttpEnd } from "./actions/host";
import type { CallContext } from "./call-context";
import { errorText, type FunctionError } from "./failure";
import { HTTP_BODY_BYTES_MAX } from "./limits";
import { LogLines } from "./log-lines";
import type { Release } from "./release";

export type HttpParts = {
  clock: Clock;
  log: FunctionLog;
  actions: ActionCalls;
  redactErrors: boolean;
  current(): Release;
  requestId(): string;
};

const HTTP_MODULE = { module: "http.js", name: "default" };
/** Methods whose requests have no body for a function (engine brief D.8). */
const BODILESS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Runs the HTTP action that a request is routed to. Failures of the function are answers too: 404 and 500. */
export async function runHttp(parts: HttpParts, request: Request, identity: Identity): Promise<Response> {
  const release = parts.current();
  if (release.deployment.routes === null) {
    return new Response("This Convex deployment does not have HTTP actions enabled.", { status: 404 });
  }
  const leave = await parts.actions.takePlace();
  let closed: Promise<void> | null = null;
  try {
    const body = BODILESS.has(request.method) ? null : await readBody(request);
    if (body === "too large") {
      return new Response(`The request body is larger than ${HTTP_BODY_BYTES_MAX} bytes.`, { status: 413 });
    }
    const run = startHttp(parts, release, request, body, identity);
    closed = run.closed;
    return await run.response;
  } finally {
    // A streaming answer keeps its place until its last byte.
    if (closed === null) leave();
    else void closed.then(leave);
  }
}

function startHttp(
  parts: HttpParts,
  release: Release,
  request: Request,
  body: Uint8Array | null,
  identity: Identity,
): { response: Promise<Response>; closed: Promise<void> } {
  const startMs = parts.clock.nowMs();
  const context: CallContext = {
    identity,
    requestId: parts.requestId(),
    caller: callerOf(request),
    scheduledJobId: null,
    logs: new LogLines(parts.clock),
    saw: { identity: false, clock: false },
    fate: null,
    used: { argsBytes: 0, resultBytes: 0, userMs: 0 },
  };
  const report = (error: FunctionError | null) =>
    parts.log.add({
      kind: "HttpAction",
      name: `${request.method} ${new URL(request.url).pathname}`,
      lines: context.logs.lines,
      error,
      startMs,
      requestId: context.requestId,
      identity,
      environment: "isolate",
      caller: "HttpApi",
    });
  const message = { method: request.method, url: request.url, headers: [...request.headers], body };
  const begin = async (): Promise<{
    end: Exclude<HttpEnd, { kind: "withdrawn" }>;
    closed: Promise<void>;
  }> => {
    const bridge = parts.actions.bridge(release, HTTP_MODULE, context);
    const running = release.actions("isolate").http(bridge, message);
    const cancelTimer = parts.actions.limitTime("isolate", running.abandon);
    const cancelWait = parts.actions.limitWait(running.withdraw);
    const closed = running.closed.then(cancelTimer);
    const end = await running.end;
    cancelWait();
    return end.kind === "withdrawn" ? begin() : { end, closed };
  };
  const begun = begin();
  const closed = begun.then((last) => last.closed);
  const response = begun.then(({ end }) => {
    if (end.kind === "failed") {
      const error = describeEnd(end.thrown, release);
      report(error);
      return failureResponse(error, context.requestId, parts.redactErrors);
    }
    if (end.kind === "noRoute") return new Response("No matching routes found", { status: 404 });
    void closed.then(() => report(null));
    const headers = new Headers();
    for (const [name, value] of end.headers) headers.append(name, value);
    return new Response(end.body, { status: end.status, headers });
  });
  return { response, closed };
}

const callerOf = (request: Request): { userAgent?: string } => {
  const userAgent = request.headers.get("user-agent");
  return userAgent === null ? {} : { userAgent };
};

/** Whole body of a request, or "too large" as soon as that is known. */
async function readBody(request: Request): Promise<Uint8Array | null | "too large"> {
  if (request.body === null) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > HTTP_BODY_BYTES_MAX) return "too large";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Shape of Convex's answer for a thrown error: the text goes to developers only, data of a ConvexError to everyone. */
function failureResponse(error: FunctionError, requestId: string, redact: boolean): Response {
  const code = redact ? "Server Error" : `Server Error: ${error.message}`;
  return Response.json(
    {
      code: `[Request ID: ${requestId}] ${code}`,
      ...(!redact && { trace: errorText(error) }),
      ...(error.data !== undefined && { data: error.data }),
    },
    { status: 500 },
  );
}
