import type { ServerResponse } from "node:http";
import type { FaultEffect } from "../faults";
import { type ReceivedRequest, type Reply, sendReply } from "../http";
import type { Simulation } from "../simulation";
import { graphErrorReply } from "./graph-error";
import { answerGraph, faultFacts, loggedBody, SECRET_PARAMETERS } from "./routes";

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
  const effects = simulation.faults.take({ place: "graph", ...faultFacts(request) });
  const ending = await endingOf(simulation, request, effects);
  simulation.journal.addRequest({
    at,
    method: request.method,
    path: loggedPath(request.url),
    body: loggedBody(request),
    status: ending.kind === "reply" ? ending.reply.status : null,
    response: ending.kind === "reply" ? readable(ending.reply) : null,
  });
  const delayMs = effects.reduce((sum, effect) => sum + (effect.kind === "delay" ? effect.ms : 0), 0);
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
  if (ending.kind === "reply") sendReply(response, ending.reply);
  else if (ending.kind === "drop") response.socket?.resetAndDestroy();
}

/** The first fault that is not a mere delay decides; without one the call is answered as Meta would. */
async function endingOf(
  simulation: Simulation,
  request: ReceivedRequest,
  effects: readonly FaultEffect[],
): Promise<Ending> {
  const effect = effects.find(({ kind }) => kind !== "delay");
  const refuse = (status: number, code: number): Ending => {
    const message = `(#${code}) This error was asked for by a fault rule`;
    return { kind: "reply", reply: graphErrorReply({ status, code, message }, simulation.ids.traceId()) };
  };
  switch (effect?.kind) {
    case "reset":
      return { kind: "drop" };
    case "hang":
      return { kind: "hang" };
    case "error":
      return refuse(effect.status, effect.code);
    case "html_error":
      return { kind: "reply", reply: htmlError(effect.status) };
    case "accept_then_drop":
      await answerGraph(simulation, request);
      return { kind: "drop" };
    case "accept_then_error":
      await answerGraph(simulation, request);
      return refuse(effect.status, 131000);
    default:
      return { kind: "reply", reply: await answerGraph(simulation, request) };
  }
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
