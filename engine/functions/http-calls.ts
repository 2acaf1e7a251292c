import type { Clock } from "../clock";
import type { FunctionLog } from "../deploy/function-log";
import type { Identity } from "../types";
import { type ActionCalls, describeEnd } from "./action-calls";
import type { HttpEnd } from "./actions/host";
import { type CallContext, passIdentity } from "./call-context";
import { errorText, type FunctionError } from "./failure";
import { HTTP_MODULE_PATH, type RoutedRequest, routeHttp } from "./http-routing";
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

const NO_ROUTE = "No matching routes found";
/** Methods whose requests have no body for a function (engine brief D.8). */
const BODILESS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Runs the HTTP action that a request is routed to. Failures of the function are answers too: 404 and 500. */
export async function runHttp(parts: HttpParts, request: Request, identity: Identity): Promise<Response> {
  const release = parts.current();
  const routed = routeHttp(release.deployment, request.method, new URL(request.url).pathname);
  if (routed === "disabled") {
    return new Response("This Convex deployment does not have HTTP actions enabled.", { status: 404 });
  }
  if (routed === null) return new Response(NO_ROUTE, { status: 404 });
  const leave = await parts.actions.takePlace();
  let closed: Promise<void> | null = null;
  try {
    const body = BODILESS.has(request.method) ? null : await readBody(request);
    if (body === "too large") {
      return new Response(`The request body is larger than ${HTTP_BODY_BYTES_MAX} bytes.`, { status: 413 });
    }
    const run = startHttp(parts, { release, ...routed }, request, body, identity);
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
  { release, component, route }: RoutedRequest & { release: Release },
  request: Request,
  body: Uint8Array | null,
  identity: Identity,
): { response: Promise<Response>; closed: Promise<void> } {
  const startMs = parts.clock.nowMs();
  const context: CallContext = {
    // An identity belongs to the app: components see nobody.
    identity: passIdentity(identity, "", component),
    requestId: parts.requestId(),
    caller: callerOf(request),
    scheduledJob: null,
    logs: new LogLines(parts.clock),
    saw: { identity: false, clock: false },
    fate: null,
    used: { argsBytes: 0, resultBytes: 0, userMs: 0 },
  };
  const report = (error: FunctionError | null) =>
    parts.log.add({
      kind: "HttpAction",
      component,
      name: `${request.method} ${new URL(request.url).pathname}`,
      lines: context.logs.lines,
      error,
      startMs,
      requestId: context.requestId,
      identity,
      environment: "isolate",
      caller: "HttpApi",
    });
  const mount = release.mountOf({ component });
  const address = { component, path: { module: HTTP_MODULE_PATH, name: "default" } };
  const headers: [string, string][] = [...request.headers];
  const message = { method: request.method, url: request.url, route, headers, body };
  const begin = async (): Promise<{
    end: Exclude<HttpEnd, { kind: "withdrawn" }>;
    closed: Promise<void>;
  }> => {
    const bridge = parts.actions.bridge(release, address, context);
    const running = mount.actions("isolate").http(bridge, message);
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
      const error = describeEnd(end.thrown, mount.component.program);
      report(error);
      return failureResponse(error, context.requestId, parts.redactErrors);
    }
    if (end.kind === "noRoute") return new Response(NO_ROUTE, { status: 404 });
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
