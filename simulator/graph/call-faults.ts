import { asObject, get, getArray, getObject, getText } from "#shared/whatsapp/json";
import type { CallKind, FaultEffect } from "../fault-effects";
import { hurryFirstStatus, plan, plannedSteps } from "../handset/status-plans";
import { json, parseJson, type ReceivedRequest, type Reply } from "../http";
import type { Simulation } from "../simulation";
import type { SentStatus } from "../world";

/** What kind of Graph call this is, for the faults that make sense on one kind only. */
export function callKindOf(
  simulation: Simulation,
  method: string,
  path: string,
  query: URLSearchParams,
): CallKind {
  const parts = path.split("/").filter(Boolean);
  if (method === "POST") return parts[1] === "messages" ? "message" : "other";
  if (method !== "GET") return "other";
  if (parts.length === 1) return simulation.world.media.has(parts[0] ?? "") ? "media" : "other";
  return query.has("after") ? "next_page" : "list";
}

/** What the effects that change an answer, or what follows from it, make of a call that was handled as usual. */
export async function spoilAnswer(
  simulation: Simulation,
  request: ReceivedRequest,
  reply: Reply,
  effects: readonly FaultEffect[],
): Promise<Reply> {
  let result = reply;
  for (const effect of effects) {
    if (effect.kind === "paging_loop") result = loopingPage(simulation, request, result);
    else await spoilStatuses(simulation, reply, effect);
  }
  return result;
}

/** Changes which statuses follow on a message that was accepted just now. */
async function spoilStatuses(simulation: Simulation, reply: Reply, effect: FaultEffect): Promise<void> {
  const message = simulation.world.messages.get(acceptedId(reply) ?? "");
  if (message === undefined) return;
  const steps = plannedSteps(simulation, message);
  const delays = simulation.settings.statusDelaysMs;
  switch (effect.kind) {
    case "fail_later": {
      const { code, title } = effect;
      return plan(simulation, message, [{ delayMs: delays.sent, status: "failed", error: { code, title } }]);
    }
    case "statuses":
      return plan(simulation, message, inSequence(effect.sequence, delays.sent));
    case "read_without_delivered":
      return plan(
        simulation,
        message,
        steps.filter(({ status }) => status !== "delivered"),
      );
    case "status_first":
      return hurryFirstStatus(simulation, message);
    default:
      return;
  }
}

function inSequence(sequence: readonly SentStatus[], everyMs: number) {
  return sequence.map((status, index) => ({
    delayMs: everyMs * (index + 1),
    status,
    ...(status === "failed" && { error: { code: 131000, title: "Something went wrong" } }),
  }));
}

function acceptedId(reply: Reply): string | undefined {
  const answer = asObject(parseJson(Buffer.from(reply.body)));
  return getText(asObject(getArray(answer, "messages")?.[0]), "id");
}

/** A list whose next page is the page itself, so that whoever follows it blindly never ends. */
function loopingPage(simulation: Simulation, request: ReceivedRequest, reply: Reply): Reply {
  const answer = asObject(parseJson(Buffer.from(reply.body)));
  if (answer === undefined || getArray(answer, "data") === undefined) return reply;
  const self = new URL(`${request.url.pathname}${request.url.search}`, simulation.baseUrl);
  self.searchParams.delete("access_token");
  const cursors = get(getObject(answer, "paging"), "cursors") ?? { before: "MAZDZD", after: "MAZDZD" };
  return {
    ...json(reply.status, { ...answer, paging: { cursors, next: self.href } }),
    headers: reply.headers,
  };
}

/** Meta's headers that say how much of a limit is used up, and when calls are possible again. */
export function usageHeaders(simulation: Simulation, minutes: number): Readonly<Record<string, string>> {
  const usage = { call_count: 100, total_cputime: 25, total_time: 100 };
  const waba = simulation.world.wabas[0]?.id ?? "0";
  return {
    "x-app-usage": JSON.stringify(usage),
    "x-business-use-case-usage": JSON.stringify({
      [waba]: [{ type: "whatsapp_business_management", ...usage, estimated_time_to_regain_access: minutes }],
    }),
  };
}
