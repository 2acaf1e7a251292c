import type { z } from "zod";
import { makeEvents } from "../events/kinds";
import { faultRule } from "../faults";
import { receiveInbound } from "../handset/inbound";
import { parseInbound } from "../handset/inbound-schema";
import { SCRIPT_NAMES } from "../handset/scripts";
import { reportStatus } from "../handset/status-plans";
import { json, parseJson, type ReceivedRequest, type Reply } from "../http";
import type { DeliveryEntry } from "../journal";
import type { Simulation } from "../simulation";
import { restoreSnapshot, takeSnapshot } from "../snapshot";
import { tuned, tuningBody } from "../tuning";
import { asciiJson } from "../webhooks/payloads";
import { problem, summary } from "./answers";
import { changeTemplateState, changeTokenState, createApp, createWaba } from "./business";
import { expectMessages, expectQuery } from "./expect";
import { mediaBytes } from "./media";
import { changeCustomer, changePersona } from "./people";
import { replayDeliveries } from "./replay";
import {
  afterQuery,
  appBody,
  clockBody,
  customerBody,
  faultQuery,
  personaBody,
  replayBody,
  resetBody,
  statusBody,
  templateBody,
  tokenBody,
  wabaBody,
  webhookBody,
} from "./schemas";
import { describeState } from "./state";

export const CONTROL_PREFIX = "/_sim/";

type Handler = (simulation: Simulation, body: unknown, query: URLSearchParams) => Reply | Promise<Reply>;

const HANDLERS: Readonly<Record<string, Handler>> = {
  "GET state": (simulation) => json(200, describeState(simulation)),
  "POST reset": withBody(resetBody, (simulation, { seed, profile }) => {
    simulation.reset(seed, profile);
    return json(200, { ok: true, seed: simulation.seed });
  }),
  "POST inbound": postInbound,
  "POST webhook": withBody(webhookBody, async (simulation, { payload, signature }) => {
    const body = typeof payload === "string" ? payload : asciiJson(payload);
    const delivery = await simulation.sender.sendRaw(body, signature);
    return delivery === null
      ? problem(409, "", "Nothing is subscribed.")
      : json(200, { deliveries: [summary(delivery)] });
  }),
  "POST status": withBody(statusBody, async (simulation, { messageId, status, error }) => {
    const message = simulation.world.messages.get(messageId);
    if (message?.direction !== "outbound")
      return problem(404, "messageId", "No message of the business has this id.");
    const failure = status === "failed" ? (error ?? { code: 131000, title: "Something went wrong" }) : error;
    const deliveries = await reportStatus(simulation, message, status, failure && withoutUndefined(failure));
    return json(200, { deliveries: deliveries.map(summary) });
  }),
  "GET requests": (simulation, _, query) =>
    withAfter(query, (after) => ({ requests: simulation.journal.requests.filter(({ n }) => n > after) })),
  "GET deliveries": (simulation, _, query) =>
    withAfter(query, (after) => ({ deliveries: simulation.journal.deliveries.filter(({ n }) => n > after) })),
  "POST faults": withBody(faultRule, (simulation, rule) => {
    if (!simulation.faults.add(rule)) return problem(409, "", "There are too many rules; clear them first.");
    simulation.journal.emit({ type: "state" });
    return json(200, { faults: simulation.faults.list() });
  }),
  "GET faults": (simulation) => json(200, { faults: simulation.faults.list() }),
  "DELETE faults": (simulation, _, query) => {
    const parsed = faultQuery.safeParse(Object.fromEntries(query));
    if (!parsed.success) return invalidBody(parsed.error);
    const { id } = parsed.data;
    if (id === undefined) simulation.faults.clear();
    else if (!simulation.faults.remove(id)) return problem(404, "id", "There is no rule with this id.");
    simulation.journal.emit({ type: "state" });
    return json(200, { faults: simulation.faults.list() });
  },
  "POST clock": withBody(clockBody, async ({ clock, journal }, { advanceMs, set, frozen, speed }) => {
    if (set !== undefined && !clock.set(set)) {
      return problem(409, "set", "Something is planned for later; reset first, or advance.");
    }
    if (frozen === true) clock.freeze();
    if (frozen === false) clock.thaw();
    if (speed !== undefined) clock.setSpeed(speed);
    await clock.advance(advanceMs);
    journal.emit({ type: "state" });
    return json(200, { now: clock.now(), frozen: clock.isFrozen, speed: clock.speed });
  }),
  "GET expect": (simulation, _, query) => {
    const parsed = expectQuery.safeParse(Object.fromEntries(query));
    return parsed.success ? expectMessages(simulation, parsed.data) : invalidBody(parsed.error);
  },
  "GET snapshot": (simulation) => json(200, takeSnapshot(simulation)),
  "POST snapshot": (simulation, body) => {
    const restored = restoreSnapshot(simulation, body);
    if ("error" in restored) return invalidBody(restored.error);
    if ("problem" in restored) return problem(400, restored.path, restored.problem);
    return json(200, { ok: true, now: simulation.clock.now() });
  },
  "GET settings": (simulation) => json(200, simulation.tuning),
  "POST settings": withBody(tuningBody, (simulation, change) => {
    simulation.tuning = tuned(simulation.tuning, change);
    simulation.journal.emit({ type: "state" });
    return json(200, simulation.tuning);
  }),
  "POST templates": withBody(templateBody, changeTemplateState),
  "POST tokens": withBody(tokenBody, changeTokenState),
  "POST customers": withBody(customerBody, changeCustomer),
  "POST personas": withBody(personaBody, changePersona),
  "GET personas": () => json(200, { scripts: SCRIPT_NAMES }),
  "POST event": postEvent,
  "POST apps": withBody(appBody, createApp),
  "POST wabas": withBody(wabaBody, createWaba),
  "POST replay": withBody(replayBody, replayDeliveries),
};

/** Methods and names of all calls, such as `POST reset`. */
export const CONTROL_CALLS = Object.keys(HANDLERS);

/** Answers one call of the control API; a wrong body or path is said, never guessed at. */
export async function answerControl(simulation: Simulation, request: ReceivedRequest): Promise<Reply> {
  const name = request.url.pathname.slice(CONTROL_PREFIX.length);
  if (request.method === "GET" && name.startsWith("media/"))
    return mediaBytes(simulation, name.slice("media/".length), request);
  const resent = /^deliveries\/(\d{1,15})\/resend$/.exec(name)?.[1];
  if (request.method === "POST" && resent !== undefined) return resend(simulation, Number(resent));
  const key = `${request.method} ${name}`;
  const handler = Object.hasOwn(HANDLERS, key) ? HANDLERS[key] : undefined;
  if (handler === undefined) {
    const methods = Object.keys(HANDLERS).filter((known) => known.endsWith(` ${name}`));
    if (methods.length === 0) return problem(404, "", `There is no ${CONTROL_PREFIX}${name}.`);
    return problem(405, "", `Use ${methods.map((known) => known.split(" ")[0]).join(" or ")}.`);
  }
  const text = request.body.toString("utf8").trim();
  const body = text === "" ? {} : parseJson(request.body);
  if (body === undefined) return problem(400, "", "The body is not JSON.");
  return handler(simulation, body, request.url.searchParams);
}

async function resend(simulation: Simulation, n: number): Promise<Reply> {
  const delivery = await simulation.sender.resend(n);
  if (delivery === null) return problem(404, "", "The log has no delivery of this number.");
  return json(200, { deliveries: [summary(delivery)] });
}

function invalidBody(error: z.ZodError): Reply {
  const issues = error.issues.map((issue) => {
    const extra = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
    return { path: [...issue.path, ...extra].join("."), message: issue.message };
  });
  return json(400, { error: { ...issues[0], issues } });
}

function withBody<T>(
  schema: z.ZodType<T>,
  handle: (simulation: Simulation, body: T) => Reply | Promise<Reply>,
): Handler {
  return (simulation, body) => {
    const parsed = schema.safeParse(body);
    return parsed.success ? handle(simulation, parsed.data) : invalidBody(parsed.error);
  };
}

function withAfter(query: URLSearchParams, read: (after: number) => object): Reply {
  const parsed = afterQuery.safeParse(Object.fromEntries(query));
  return parsed.success ? json(200, read(parsed.data.after)) : invalidBody(parsed.error);
}

async function postInbound(simulation: Simulation, body: unknown): Promise<Reply> {
  const parsed = parseInbound(body);
  if ("error" in parsed) return invalidBody(parsed.error);
  const result = await receiveInbound(simulation, parsed);
  if ("problem" in result) return problem(400, result.path, result.problem);
  return json(200, { messageId: result.messageId, deliveries: result.deliveries.map(summary) });
}

/** Something happens that is not a message: each webhook in turn, so that parts keep their order. */
async function postEvent(simulation: Simulation, body: unknown): Promise<Reply> {
  const events = makeEvents(simulation, body);
  if ("error" in events) return invalidBody(events.error);
  if ("problem" in events) return problem(400, events.path, events.problem);
  const deliveries: DeliveryEntry[] = [];
  for (const event of events.ok) deliveries.push(...(await simulation.sender.send(event)));
  return json(200, { deliveries: deliveries.map(summary) });
}

function withoutUndefined(error: { code: number; title: string; details?: string | undefined }) {
  const { code, title, details } = error;
  return { code, title, ...(details !== undefined && { details }) };
}
