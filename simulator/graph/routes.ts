import { asObject, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import { addNumber } from "../business/add-number";
import { blockUsers } from "../business/block-users";
import { businessProfile, deregister, register, requestCode, setPin, verifyCode } from "../business/numbers";
import { changeTemplate, createTemplate, deleteTemplates } from "../business/templates";
import { json, parseJson, type ReceivedRequest, type Reply } from "../http";
import { exchangeToken } from "../login/codes";
import type { Scope } from "../login/scopes";
import { type Caller, callerOf, describeToken, mayUse, scopeProblem } from "../login/tokens";
import type { Simulation } from "../simulation";
import type { BusinessNumber } from "../world";
import { graphErrorReply, invalidParameter, missing, unknownObject, unknownPath } from "./graph-error";
import { deleteMedia, mediaObject, uploadMedia } from "./media";
import { listTemplates, numberObject, page, pickFields, templateObject, wabaObject } from "./objects";
import { type GraphResult, postMessages } from "./send-message";
import { appSubscriptions, configureNumberWebhook, subscribedApps } from "./subscriptions";
import { beginUpload, continueUpload } from "./uploads";

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
  const path = graphPath(request.url.pathname);
  // The calls that hand out tokens cannot ask for one.
  if (path === "/oauth/access_token") return exchangeToken(simulation, allParameters(request));
  const called = callerOf(simulation, request);
  if ("failure" in called) return called;
  const { caller } = called;
  const [id = "", edge, ...rest] = path.split("/").filter(Boolean);
  if (rest.length > 0 || id === "")
    return { failure: unknownPath(`/${[id, edge, ...rest].filter(Boolean).join("/")}`) };
  const call: Call = {
    simulation,
    request,
    caller,
    id,
    edge: edge ?? "",
    body: () => ({ ...addressParameters(request), ...readParameters(request) }),
  };
  return (await route(call)) ?? { failure: unknownObject(decode(id), request.method) };
}

interface Call {
  readonly simulation: Simulation;
  readonly request: ReceivedRequest;
  readonly caller: Caller;
  readonly id: string;
  readonly edge: string;
  /** The parameters of the body, whichever way they were encoded. */
  readonly body: () => JsonObject;
}

async function route(call: Call): Promise<GraphResult | null> {
  const { simulation, id, edge, request } = call;
  const { world } = simulation;
  if (id === "me") return meRoute(call);
  if (decode(id).startsWith("upload:")) return continueUpload(simulation, decode(id), request);
  if (id === "debug_token" && edge === "") return inspectToken(call);
  if (id === world.business.id) return businessRoute(call);
  const number = world.numbers.find(
    (candidate) => candidate.id === id && mayUse(call.caller, candidate.wabaId),
  );
  if (number !== undefined) {
    const lacking = scopeProblem(
      call.caller,
      MESSAGING_EDGES.has(edge) ? "whatsapp_business_messaging" : MANAGEMENT,
    );
    if (lacking !== null) return { failure: lacking };
    return numberRoute(call, number);
  }
  const waba = world.wabas.find((candidate) => candidate.id === id && mayUse(call.caller, id));
  if (waba !== undefined) {
    const lacking = scopeProblem(call.caller, MANAGEMENT);
    return lacking === null ? wabaRoute(call, waba) : { failure: lacking };
  }
  const otherApp = world.otherApps.find((app) => app.id === id) ?? null;
  if (id === world.app.id || otherApp !== null) {
    // An app manages its own subscriptions; to another one it looks as if it did not exist.
    if (call.caller.app !== otherApp) return null;
    if (edge === "subscriptions") {
      return appSubscriptions(simulation, request.method, call.body(), otherApp);
    }
    return edge === "uploads" && request.method === "POST"
      ? beginUpload(simulation, uploadParameters(call))
      : edgeProblem(call);
  }
  const template = world.templates.find(
    (candidate) => candidate.id === id && mayUse(call.caller, candidate.wabaId),
  );
  if (template !== undefined) {
    const lacking = scopeProblem(call.caller, MANAGEMENT);
    if (lacking !== null) return { failure: lacking };
    if (request.method === "GET" && edge === "") {
      return { ok: pickFields(templateObject(template), request.url.searchParams) };
    }
    return request.method === "POST"
      ? changeTemplate(simulation, template, edge, call.body())
      : edgeProblem(call);
  }
  return edge === "" ? mediaRoute(call) : null;
}

const MANAGEMENT: Scope = "whatsapp_business_management";
/** Edges of a number that the messaging scope opens; the rest is management (Meta: "Permissions"). */
const MESSAGING_EDGES: ReadonlySet<string> = new Set(["messages", "media", "block_users"]);

/** Sizes and types may stand in the address or in the body. */
function uploadParameters({ request, body }: Call): URLSearchParams {
  const parameters = new URLSearchParams(request.url.search);
  for (const [key, value] of Object.entries(body())) parameters.set(key, String(value));
  return parameters;
}

/** `/me` and its edges: who the token belongs to, what it may do, which businesses it sees. */
function meRoute({ simulation, caller, edge, request, id }: Call): GraphResult {
  const { world, baseUrl } = simulation;
  const query = request.url.searchParams;
  const self = `${baseUrl}${request.url.pathname}`;
  if (request.method !== "GET") return { failure: unknownObject(id, request.method) };
  const token = caller.kind === "token" ? caller.token : null;
  if (edge === "") {
    const user = world.users.find((person) => person.id === token?.userId);
    const identity = user ?? { id: token?.userId ?? world.app.id, name: "Simulated system user" };
    return { ok: pickFields(identity, query) };
  }
  if (edge === "permissions") {
    const scopes = token?.scopes ?? [];
    return { ok: { data: scopes.map((permission) => ({ permission, status: "granted" })) } };
  }
  if (edge !== "businesses") return { failure: unknownPath(`/${decode(edge)}`) };
  const lacking = scopeProblem(caller, "business_management");
  if (lacking !== null) return { failure: lacking };
  return { ok: page([{ ...world.business, verification_status: "verified" }], query, self) };
}

/** A business and the accounts that it owns, as far as the token was given them. */
function businessRoute(call: Call): GraphResult {
  const { simulation, caller, edge, request } = call;
  const { world, baseUrl } = simulation;
  const query = request.url.searchParams;
  const lacking = scopeProblem(caller, "business_management");
  if (lacking !== null) return { failure: lacking };
  if (request.method !== "GET") return edgeProblem(call);
  if (edge === "") return { ok: pickFields({ ...world.business, verification_status: "verified" }, query) };
  const self = `${baseUrl}${request.url.pathname}`;
  const owned = world.wabas.filter((waba) => mayUse(caller, waba.id));
  if (edge === "owned_whatsapp_business_accounts") {
    return {
      ok: page(
        owned.map((waba) => wabaObject(simulation, waba)),
        query,
        self,
      ),
    };
  }
  return edge === "client_whatsapp_business_accounts" ? { ok: page([], query, self) } : edgeProblem(call);
}

async function numberRoute(call: Call, number: BusinessNumber): Promise<GraphResult> {
  const { simulation, request, edge } = call;
  const { method } = request;
  switch (`${method} ${edge}`) {
    case "GET ":
      return { ok: pickFields(numberObject(simulation, number), request.url.searchParams) };
    case "POST ":
      return Object.hasOwn(call.body(), "webhook_configuration")
        ? configureNumberWebhook(simulation, number, call.body())
        : setPin(simulation, number, call.body());
    case "POST messages":
      return postMessages(simulation, number, call.body());
    case "POST media":
      return uploadMedia(simulation, request);
    case "POST request_code":
      return requestCode(number, call.body());
    case "POST verify_code":
      return verifyCode(number, call.body());
    case "POST register":
      return register(simulation, number, call.body());
    case "POST deregister":
      return deregister(simulation, number);
    case "GET whatsapp_business_profile":
    case "POST whatsapp_business_profile":
      return businessProfile(simulation, number, method, call.body());
    case "GET block_users":
    case "POST block_users":
    case "DELETE block_users":
      return blockUsers(simulation, number, method, call.body());
    default:
      return edgeProblem(call);
  }
}

async function wabaRoute(call: Call, waba: Simulation["world"]["wabas"][number]): Promise<GraphResult> {
  const { simulation, edge, request } = call;
  const query = request.url.searchParams;
  const self = `${simulation.baseUrl}${request.url.pathname}`;
  if (edge === "subscribed_apps" && request.method !== "PUT") {
    return subscribedApps(simulation, waba, request.method, call.body(), call.caller.app);
  }
  if (edge === "message_templates") {
    if (request.method === "POST") return createTemplate(simulation, waba, call.body());
    if (request.method === "DELETE") return deleteTemplates(simulation, waba, query);
  }
  if (edge === "phone_numbers" && request.method === "POST") {
    return addNumber(simulation, waba, call.body());
  }
  if (request.method !== "GET") return edgeProblem(call);
  if (edge === "") return { ok: pickFields(wabaObject(simulation, waba), query) };
  if (edge === "message_templates") return { ok: listTemplates(simulation, waba, query, self) };
  if (edge === "phone_numbers") {
    const numbers = simulation.world.numbers.filter((number) => number.wabaId === waba.id);
    return {
      ok: page(
        numbers.map((number) => numberObject(simulation, number)),
        query,
        self,
      ),
    };
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
  return token === null ? { failure: missing("input_token") } : { ok: describeToken(simulation, token) };
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
    "request_code",
    "verify_code",
    "register",
    "deregister",
    "whatsapp_business_profile",
    "block_users",
    "uploads",
    "",
  ];
  if (known.includes(edge)) return { failure: unknownObject(decode(id), request.method) };
  return { failure: unknownPath(`/${decode(edge)}`) };
}

/** Whether a request carries a token that may be used now; media links need one too. */
export function hasToken(simulation: Simulation, request: ReceivedRequest): boolean {
  return "caller" in callerOf(simulation, request);
}

/** Parameters of the address and of the body together, as the calls of the login take them. */
function allParameters(request: ReceivedRequest): JsonObject {
  return { ...Object.fromEntries(request.url.searchParams), ...readParameters(request) };
}

/** Parameters of a call that changes something may stand in its address, too. */
function addressParameters({ method, url }: ReceivedRequest): JsonObject {
  if (method === "GET") return {};
  const query = new URLSearchParams(url.search);
  for (const name of ["access_token", "appsecret_proof"]) query.delete(name);
  return Object.fromEntries(query);
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
  if (Object.keys(parameters).length > 0) return { ...parameters, ...maskedSecrets(parameters) };
  return request.body.toString("utf8").slice(0, LOGGED_CHARACTERS_MAX);
}

/** Parameters that no log shows, in an address or in a body. */
export const SECRET_PARAMETERS = [
  "access_token",
  "input_token",
  "appsecret_proof",
  "client_secret",
  "code",
  "fb_exchange_token",
] as const;

function maskedSecrets(parameters: JsonObject): JsonObject {
  // `code` is a secret of the login alone; elsewhere it is the number that verifies a phone.
  const present = SECRET_PARAMETERS.filter((name) => Object.hasOwn(parameters, name));
  return Object.fromEntries(present.map((name) => [name, "***"]));
}

/** Characters of an unreadable body that the log keeps. */
const LOGGED_CHARACTERS_MAX = 10_000;

/** What faults may match on, read without trusting the body. */
export function faultFacts(request: ReceivedRequest): {
  path: string;
  to?: string;
  type?: string;
  text?: string;
} {
  const body = /^multipart\//i.test(request.headers["content-type"] ?? "") ? {} : readParameters(request);
  const to = getText(body, "to")?.replace(/\D/g, "");
  const type = getText(body, "type");
  const content = getObject(body, type ?? "text");
  const text = getText(content, "body") ?? getText(content, "caption");
  return {
    path: graphPath(request.url.pathname),
    ...(to !== undefined && { to }),
    ...(type !== undefined && { type }),
    ...(text !== undefined && { text }),
  };
}

/** For a request that is too large to be read. */
export function tooLarge(traceId: string): Reply {
  return graphErrorReply({ ...invalidParameter("The request is too large."), status: 413 }, traceId);
}
