import { createHmac } from "node:crypto";
import { asObject, getText, type JsonObject } from "#shared/whatsapp/json";
import { json, parseJson, type ReceivedRequest, type Reply } from "../http";
import type { Simulation } from "../simulation";
import { ACCESS_TOKEN } from "../start-state";
import {
  badProof,
  badToken,
  type GraphFailure,
  graphErrorReply,
  invalidParameter,
  missing,
  noToken,
  unknownObject,
  unknownPath,
} from "./graph-error";
import { deleteMedia, mediaObject, uploadMedia } from "./media";
import {
  appSubscriptions,
  debugToken,
  listTemplates,
  numberObject,
  page,
  pickFields,
  subscribedApps,
  wabaObject,
} from "./objects";
import { type GraphResult, postMessages } from "./send-message";

/** `/v25.0/...`; the rest is the path that all versions share. */
const VERSIONED = /^\/v\d{1,3}\.\d{1,2}(\/.*)?$/;

export function isGraphPath(path: string): boolean {
  return VERSIONED.test(path);
}

/** The path without its version. */
export function graphPath(path: string): string {
  return VERSIONED.exec(path)?.[1] ?? "/";
}

/** Answers one Graph call. Whatever the request holds, the answer has Meta's shape. */
export async function answerGraph(simulation: Simulation, request: ReceivedRequest): Promise<Reply> {
  const result = await handle(simulation, request);
  if ("failure" in result) return graphErrorReply(result.failure, simulation.ids.traceId());
  return {
    ...json(200, result.ok),
    headers: { "content-type": "application/json; charset=UTF-8", "facebook-api-version": "v25.0" },
  };
}

async function handle(simulation: Simulation, request: ReceivedRequest): Promise<GraphResult> {
  const denied = checkToken(simulation, request);
  if (denied !== null) return { failure: denied };
  const [id = "", edge, ...rest] = graphPath(request.url.pathname).split("/").filter(Boolean);
  if (rest.length > 0 || id === "")
    return { failure: unknownPath(`/${[id, edge, ...rest].filter(Boolean).join("/")}`) };
  const call: Call = { simulation, request, id, edge: edge ?? "", body: () => readParameters(request) };
  return (await route(call)) ?? { failure: unknownObject(decode(id), request.method) };
}

interface Call {
  readonly simulation: Simulation;
  readonly request: ReceivedRequest;
  readonly id: string;
  readonly edge: string;
  /** The parameters of the body, whichever way they were encoded. */
  readonly body: () => JsonObject;
}

async function route(call: Call): Promise<GraphResult | null> {
  const { simulation, id, edge, request } = call;
  const { world } = simulation;
  if (id === "me" && edge === "")
    return {
      ok: pickFields({ id: world.business.id, name: "Simulated system user" }, request.url.searchParams),
    };
  if (id === "debug_token" && edge === "") return inspectToken(call);
  const number = world.numbers.find((candidate) => candidate.id === id);
  if (number !== undefined) {
    const key = `${request.method} ${edge}`;
    if (key === "GET ") return { ok: pickFields(numberObject(number), request.url.searchParams) };
    if (key === "POST messages") return postMessages(simulation, number, call.body());
    if (key === "POST media") return uploadMedia(simulation, request);
    return edgeProblem(call);
  }
  const waba = world.wabas.find((candidate) => candidate.id === id);
  if (waba !== undefined) return wabaRoute(call, waba);
  if (id === world.app.id) {
    return edge === "subscriptions"
      ? appSubscriptions(simulation, request.method, call.body())
      : edgeProblem(call);
  }
  return edge === "" ? mediaRoute(call) : null;
}

async function wabaRoute(call: Call, waba: Simulation["world"]["wabas"][number]): Promise<GraphResult> {
  const { simulation, edge, request } = call;
  const query = request.url.searchParams;
  const self = `${simulation.baseUrl}${request.url.pathname}`;
  if (edge === "subscribed_apps" && request.method !== "PUT") {
    return subscribedApps(simulation, waba, request.method, call.body());
  }
  if (request.method !== "GET") return edgeProblem(call);
  if (edge === "") return { ok: pickFields(wabaObject(simulation, waba), query) };
  if (edge === "message_templates") return { ok: listTemplates(simulation, waba, query, self) };
  if (edge === "phone_numbers") {
    const numbers = simulation.world.numbers.filter((number) => number.wabaId === waba.id);
    return { ok: page(numbers.map(numberObject), query, self) };
  }
  return edgeProblem(call);
}

function mediaRoute({ simulation, id, request }: Call): GraphResult | null {
  if (request.method === "DELETE") return deleteMedia(simulation, id) ? { ok: { success: true } } : null;
  const media = request.method === "GET" ? mediaObject(simulation, id) : null;
  return media === null ? null : { ok: media };
}

function inspectToken({ simulation, request }: Call): GraphResult {
  const token = request.url.searchParams.get("input_token");
  if (token === null) return { failure: missing("input_token") };
  return { ok: debugToken(simulation, token === ACCESS_TOKEN) };
}

/** The object exists, the edge or the method does not. */
function edgeProblem({ id, edge, request }: Call): GraphResult {
  const known = [
    "messages",
    "media",
    "message_templates",
    "phone_numbers",
    "subscribed_apps",
    "subscriptions",
    "",
  ];
  if (known.includes(edge)) return { failure: unknownObject(decode(id), request.method) };
  return { failure: unknownPath(`/${decode(edge)}`) };
}

/** The access token, or an app token `{app-id}|{app-secret}`; a proof that is given must be right. */
function checkToken(simulation: Simulation, request: ReceivedRequest): GraphFailure | null {
  const token = tokenOf(request);
  if (token === null) return noToken;
  const { appSecret } = simulation.settings;
  const appToken = `${simulation.world.app.id}|${appSecret}`;
  if (token !== ACCESS_TOKEN && token !== appToken) return badToken;
  const proof = request.url.searchParams.get("appsecret_proof");
  const expected = createHmac("sha256", appSecret).update(token).digest("hex");
  return proof === null || proof === expected ? null : badProof;
}

function tokenOf(request: ReceivedRequest): string | null {
  const header = /^(?:Bearer|OAuth)\s+(\S.*)$/i.exec(request.headers.authorization ?? "")?.[1];
  return header ?? request.url.searchParams.get("access_token");
}

/** Whether a request carries a token that the simulator knows; media links need one too. */
export function hasToken(simulation: Simulation, request: ReceivedRequest): boolean {
  return checkToken(simulation, request) === null;
}

/** Graph takes JSON and forms alike; form values that are JSON are read as such. An unreadable body has no parameters. */
function readParameters(request: ReceivedRequest): JsonObject {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/x-www-form-urlencoded/i.test(type)) return asObject(parseJson(request.body)) ?? {};
  const form = new URLSearchParams(request.body.toString("utf8"));
  const entries = [...form].map(([key, value]) => [
    key,
    /^[[{]/.test(value) ? parseJson(Buffer.from(value)) : value,
  ]);
  return Object.fromEntries(entries);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A broken percent sign is shown as it came.
    return part;
  }
}

/** The body of a call as the request log shows it: parameters, or for files only what is known about them. */
export function loggedBody(request: ReceivedRequest): unknown {
  if (request.body.length === 0) return null;
  const type = request.headers["content-type"] ?? "";
  if (/^multipart\//i.test(type)) return { multipart: true, bytes: request.body.length };
  const parameters = readParameters(request);
  if (Object.keys(parameters).length > 0) return parameters;
  return request.body.toString("utf8").slice(0, LOGGED_CHARACTERS_MAX);
}

/** Characters of an unreadable body that the log keeps. */
const LOGGED_CHARACTERS_MAX = 10_000;

/** What faults may match on, read without trusting the body. */
export function faultFacts(request: ReceivedRequest): { path: string; to?: string; type?: string } {
  const body = /^multipart\//i.test(request.headers["content-type"] ?? "") ? {} : readParameters(request);
  const to = getText(body, "to")?.replace(/\D/g, "");
  const type = getText(body, "type");
  return {
    path: graphPath(request.url.pathname),
    ...(to !== undefined && { to }),
    ...(type !== undefined && { type }),
  };
}

/** For a request that is too large to be read. */
export function tooLarge(traceId: string): Reply {
  return graphErrorReply({ ...invalidParameter("The request is too large."), status: 413 }, traceId);
}
