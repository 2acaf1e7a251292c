import type { ServerResponse } from "node:http";
import { effectsOfHeader, type FaultEffect } from "../faults";
import { json, type ReceivedRequest, type Reply, sendReply } from "../http";
import type { Simulation } from "../simulation";
import { callKindOf, spoilAnswer, usageHeaders } from "./call-faults";
import { graphErrorReply } from "./graph-error";
import { answerGraph, faultFacts, graphPath, loggedBody, SECRET_PARAMETERS } from "./routes";

/** What the caller gets to see. The first two give no answer at all. */
type Ending =
  | { readonly kind: "drop" }
  | { readonly kind: "hang" }
  | { readonly kind: "reply"; readonly reply: Reply };

/** Takes one Graph call through faults, the handlers and the log, in this order. */
export async function serveGraph(
  simulation: Simulation,
  request: ReceivedRequest,
  response: ServerResponse,
): Promise<void> {
  const at = simulation.clock.now();
  const started = performance.now();
  const path = graphPath(request.url.pathname);
  const call = callKindOf(simulation, request.method, path, request.url.searchParams);
  const facts = { place: "graph" as const, call, ...faultFacts(request) };
  const asked = effectsOfHeader(request.headers["x-sim-fault"], facts);
  if ("problem" in asked) {
    sendReply(response, json(400, { error: { path: "x-sim-fault", message: asked.problem } }));
    return;
  }
  const effects = [...asked, ...simulation.faults.take(facts)];
  const ending = await endingOf(simulation, request, effects);
  simulation.journal.addRequest({
    at,
    method: request.method,
    path: loggedPath(request.url),
    body: loggedBody(request),
    status: ending.kind === "reply" ? ending.reply.status : null,
    response: ending.kind === "reply" ? readable(ending.reply) : null,
    ms: Math.round(performance.now() - started),
  });
  const delayMs = simulation.faults.delayMs(effects);
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
  if (ending.kind === "reply") sendReply(response, ending.reply);
  else if (ending.kind === "drop") response.socket?.resetAndDestroy();
}

/** The first effect that ends a call decides; without one the call is answered as Meta would, or nearly so. */
async function endingOf(
  simulation: Simulation,
  request: ReceivedRequest,
  effects: readonly FaultEffect[],
): Promise<Ending> {
  const handle = async () =>
    spoilAnswer(simulation, request, await answerGraph(simulation, request), effects);
  const refuse = (status: number, code: number, subcode?: number, headers = {}): Ending => {
    const message = `(#${code}) This error was asked for by a fault rule`;
    const failure = { status, code, message, ...(subcode !== undefined && { subcode }) };
    const reply = graphErrorReply(failure, simulation.ids.traceId());
    return { kind: "reply", reply: { ...reply, headers: { ...reply.headers, ...headers } } };
  };
  for (const effect of effects) {
    switch (effect.kind) {
      case "reset":
        return { kind: "drop" };
      case "hang":
        return { kind: "hang" };
      case "error":
        return refuse(effect.status, effect.code, effect.subcode);
      case "too_many_calls":
        return refuse(effect.status, effect.code, undefined, usageHeaders(simulation, effect.minutes));
      case "media_missing":
        return refuse(404, 131052);
      case "cursor_expired":
        return refuse(400, 100);
      case "html_error":
        return { kind: "reply", reply: htmlError(effect.status) };
      case "accept_then_drop":
        await handle();
        return { kind: "drop" };
      case "accept_then_error":
        await handle();
        return refuse(effect.status, 131000);
    }
  }
  return { kind: "reply", reply: await handle() };
}

function htmlError(status: number): Reply {
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: "<!DOCTYPE html><html><head><title>Error</title></head><body><p>Sorry, something went wrong.</p></body></html>",
  };
}

/** The path as it was called, without the secrets that some calls carry in it. */
function loggedPath(url: URL): string {
  const query = new URLSearchParams(url.search);
  for (const secret of SECRET_PARAMETERS) {
    if (query.has(secret)) query.set(secret, "***");
  }
  return query.size === 0 ? url.pathname : `${url.pathname}?${query}`;
}

function readable({ body, headers }: Reply): unknown {
  if (!headers["content-type"]?.startsWith("application/json")) return body.toString();
  const answer = JSON.parse(body.toString());
  // The one answer that holds a secret.
  return "access_token" in answer ? { ...answer, access_token: "***" } : answer;
}
