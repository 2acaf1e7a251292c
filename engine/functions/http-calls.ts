import type { Clock } from "../clock";
import type { FunctionLog } from "../deploy/function-log";
import type { Identity } from "../types";
import { type ActionCalls, describeEnd } from "./action-calls";
import type { HttpEnd } from "./actions/http-call";
import { type CallContext, passIdentity } from "./call-context";
import { errorText, type FunctionError } from "./failure";
import { type ActionBody, takeBody, tooLargeResponse } from "./http-body";
import { HTTP_MODULE_PATH, type RoutedRequest, routeHttp } from "./http-routing";
import { LogLines } from "./log-lines";
import type { Release } from "./release";
import type { ThrownJson } from "./sandbox/port";

export type HttpParts = {
  clock: Clock;
  log: FunctionLog;
  actions: ActionCalls;
  redactErrors: boolean;
  current(): Release;
  requestId(): string;
};

const NO_ROUTE = "No matching routes found";
/** Runs the HTTP action that a request is routed to. Failures of the function are answers too: 404 and 500. */
export async function runHttp(parts: HttpParts, request: Request, identity: Identity): Promise<Response> {
  const release = parts.current();
  const routed = routeHttp(release.deployment, request.method, new URL(request.url).pathname);
  if (routed === "disabled") {
    return new Response("This Convex deployment does not have HTTP actions enabled.", { status: 404 });
  }
  if (routed === null) return new Response(NO_ROUTE, { status: 404 });
  const body = await takeBody(request);
  const leave = await parts.actions.takePlace();
  const { response, closed } = startHttp(parts, { release, ...routed }, request, body, identity);
  // A streaming answer keeps its place until its last byte.
  void closed.then(() => {
    leave();
    body.drop();
  });
  return response;
}

function startHttp(
  parts: HttpParts,
  { release, component, route }: RoutedRequest & { release: Release },
  request: Request,
  body: ActionBody,
  identity: Identity,
): { response: Promise<Response>; closed: Promise<unknown> } {
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
  const given = body.stream === null ? body.whole : ("streams" as const);
  const message = { method: request.method, url: request.url, route, headers, body: given };
  const caller = { body: body.stream, signal: request.signal };
  const begin = async (): Promise<{
    end: Exclude<HttpEnd, { kind: "withdrawn" }>;
    closed: Promise<ThrownJson | null>;
  }> => {
    const bridge = parts.actions.bridge(release, address, context);
    const running = mount.actions("isolate").http(bridge, message, caller);
    const cancelTimer = parts.actions.limitTime("isolate", running.abandon);
    const cancelWait = parts.actions.limitWait(running.withdraw);
    const closed = running.closed.finally(cancelTimer);
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
      if (body.isTooLarge()) return tooLargeResponse();
      return failureResponse(error, context.requestId, parts.redactErrors);
    }
    if (end.kind === "noRoute") return new Response(NO_ROUTE, { status: 404 });
    void closed.then((thrown) =>
      report(thrown === null ? null : describeEnd(thrown, mount.component.program)),
    );
    const headers = new Headers();
    for (const [name, value] of end.headers) headers.append(name, value);
    if (request.method === "HEAD") void end.body?.cancel();
    const sent = request.method === "HEAD" ? null : end.body;
    return new Response(sent, { status: end.status, headers });
  });
  return { response, closed };
}

const callerOf = (request: Request): { userAgent?: string } => {
  const userAgent = request.headers.get("user-agent");
  return userAgent === null ? {} : { userAgent };
};

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
