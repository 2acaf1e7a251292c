import { singleArgument } from "../call-argument";
import { EngineError } from "../errors";
import { optionalString, parseJson, requireArray, requireObject, requireString } from "../json";
import type {
  Call,
  FunctionKind,
  Functions,
  Identity,
  JsonObject,
  JsonValue,
  Outcome,
  Timestamp,
} from "../types";
import { decodeTs } from "../wire-timestamp";
import { answerJsonText, type Exchange } from "./answer";
import { CALL_BYTES_MAX, readJsonBody } from "./body";
import { cleanJson } from "./clean-json";
import { HttpError } from "./http-error";

/** Queries in one /api/query_batch: as many as a page may hold subscriptions to be useful, far below a flood. */
const BATCH_QUERIES_MAX = 100;

export type FunctionRoutes = {
  functions: Functions;
  latestTs: () => Timestamp;
  identify: (exchange: Exchange) => Promise<Identity>;
  requestId: () => string;
  /** Console lines go to administrators only, as on a production deployment. */
  redactErrors: boolean;
};

type Format = "convex_encoded_json" | "json";
type Finished = { outcome: Outcome; logLines: string[] };

/** `POST /api/query|mutation|action` of the HTTP clients. */
export async function callFunction(
  exchange: Exchange,
  kind: FunctionKind,
  routes: FunctionRoutes,
): Promise<void> {
  const body = requireObject(await readJsonBody(exchange.request, CALL_BYTES_MAX), "The request body");
  await answerCall(exchange, routes, body, kind);
}

/**
 * `POST /api/query_at_ts`: a query at a timestamp that `/api/query_ts` gave. Throws 400 `OutOfRetention` when the
 * snapshot is no longer kept: asking again cannot help, a newer timestamp does.
 */
export async function callQueryAtTs(exchange: Exchange, routes: FunctionRoutes): Promise<void> {
  const body = requireObject(await readJsonBody(exchange.request, CALL_BYTES_MAX), "The request body");
  const ts = decodeTs(requireString(body["ts"], "ts"));
  if (ts > routes.latestTs()) {
    throw new HttpError(400, "BadTimestamp", "The timestamp lies in the future.");
  }
  const identity = await routes.identify(exchange);
  const { call, format } = readCall(exchange, routes, identity, body);
  const finished = await queryAt(routes, call, ts);
  answerJsonText(exchange, 200, answerText(finished, format, showsLogs(routes, identity)));
}

async function queryAt({ functions }: FunctionRoutes, call: Call, ts: Timestamp): Promise<Finished> {
  try {
    return await functions.query(call, { ts });
  } catch (error) {
    if (error instanceof EngineError && error.code === "SnapshotExpired") {
      throw new HttpError(
        400,
        "OutOfRetention",
        "The state of the database at this timestamp is no longer kept. Ask for a newer timestamp.",
      );
    }
    throw error;
  }
}

/** `GET /api/query?path=...&args=...&format=...`. */
export async function callQueryByUrl(exchange: Exchange, routes: FunctionRoutes): Promise<void> {
  const { searchParams } = exchange.url;
  const body: JsonObject = {
    path: searchParams.get("path"),
    args: parseJson(searchParams.get("args") ?? "{}", "The parameter args"),
    format: searchParams.get("format"),
  };
  await answerCall(exchange, routes, body, "query");
}

/** `POST /api/function` of `convex run`: any kind, internal functions too, administrators only. */
export async function callAnyFunction(exchange: Exchange, routes: FunctionRoutes): Promise<void> {
  const identity = await routes.identify(exchange);
  requireAdmin(identity);
  const body = requireObject(await readJsonBody(exchange.request, CALL_BYTES_MAX), "The request body");
  await answerCall(exchange, routes, body, null);
}

/** `POST /api/run/dir/module/function`: the path is in the URL, the answer is plain JSON unless asked otherwise. */
export async function callByPath(exchange: Exchange, routes: FunctionRoutes): Promise<void> {
  const path = pathOfUrl(exchange.url.pathname.slice("/api/run/".length));
  const body = requireObject(await readJsonBody(exchange.request, CALL_BYTES_MAX), "The request body");
  // Functions of the app alone can be reached here, so that the body's own path and component mean nothing.
  const call = { path, args: body["args"] ?? {}, format: body["format"] ?? "json" };
  await answerCall(exchange, routes, call, null);
}

/** `dir/module/function` as `dir/module:function`. */
function pathOfUrl(text: string): string {
  const missing = () =>
    new HttpError(400, "MissingIdentifier", "The URL must name a function, as /api/run/messages/list does.");
  let parts: string[];
  try {
    parts = text.split("/").map(decodeURIComponent);
  } catch {
    throw missing(); // Broken percent encoding.
  }
  const name = parts.pop();
  if (name === undefined || name === "" || parts.length === 0) {
    throw missing();
  }
  return `${parts.join("/")}:${name}`;
}

/** `POST /api/query_batch`: several queries at one timestamp, one after the other, as on Convex. */
export async function callQueryBatch(exchange: Exchange, routes: FunctionRoutes): Promise<void> {
  const identity = await routes.identify(exchange);
  const body = requireObject(await readJsonBody(exchange.request, CALL_BYTES_MAX), "The request body");
  const queries = requireArray(body["queries"], "queries");
  if (queries.length > BATCH_QUERIES_MAX) {
    throw new HttpError(400, "TooManyQueries", `A batch holds at most ${BATCH_QUERIES_MAX} queries.`);
  }
  const calls = queries.map((query) =>
    readCall(exchange, routes, identity, requireObject(query, "A query of the batch")),
  );
  const ts = routes.latestTs();
  const results: string[] = [];
  for (const { call, format } of calls) {
    const finished = await queryAt(routes, call, ts);
    results.push(answerText(finished, format, showsLogs(routes, identity)));
  }
  answerJsonText(exchange, 200, `{"results":[${results.join(",")}]}`);
}

export function requireAdmin(identity: Identity): void {
  if (identity.kind !== "admin") {
    throw new EngineError("unauthorized", "BadDeployKey", "This needs the deployment's admin key.");
  }
}

async function answerCall(
  exchange: Exchange,
  routes: FunctionRoutes,
  body: JsonObject,
  kind: FunctionKind | null,
): Promise<void> {
  const identity = await routes.identify(exchange);
  const { call, format } = readCall(exchange, routes, identity, body);
  const finished = await run(routes, call, kind ?? routes.functions.kindOf(call.path, call.component));
  answerJsonText(exchange, 200, answerText(finished, format, showsLogs(routes, identity)));
}

async function run({ functions }: FunctionRoutes, call: Call, kind: FunctionKind | null): Promise<Finished> {
  switch (kind) {
    case "query":
      return functions.query(call);
    case "mutation":
      return functions.mutation(call);
    case "action":
      return functions.action(call);
    case null:
      return {
        // The CLI looks for the first words and then lists the functions that there are.
        outcome: {
          ok: false,
          failure: {
            message: `Could not find function for '${call.path}'. Did you forget to run \`npx convex dev\` or \`npx convex deploy\`?`,
          },
        },
        logLines: [],
      };
  }
}

function readCall(
  exchange: Exchange,
  routes: FunctionRoutes,
  identity: Identity,
  body: JsonObject,
): { call: Call; format: Format } {
  const component = optionalString(body["componentPath"], "componentPath");
  if (component !== undefined && component !== "") {
    requireAdmin(identity);
  }
  const userAgent = exchange.request.headers["user-agent"];
  const ip = exchange.request.socket.remoteAddress;
  return {
    call: {
      path: requireString(body["path"], "path"),
      ...(component === undefined ? {} : { component }),
      args: singleArgument(body["args"]),
      identity,
      requestId: routes.requestId(),
      caller: { ...(ip === undefined ? {} : { ip }), ...(userAgent === undefined ? {} : { userAgent }) },
    },
    format: readFormat(body["format"]),
  };
}

function readFormat(format: JsonValue | undefined): Format {
  if (format === undefined || format === null || format === "convex_encoded_json") {
    return "convex_encoded_json";
  }
  if (format === "json") {
    return "json";
  }
  throw new HttpError(400, "BadFormat", 'format must be "json" or "convex_encoded_json".');
}

const showsLogs = (routes: FunctionRoutes, identity: Identity): boolean =>
  !routes.redactErrors || identity.kind === "admin";

/** The answer as JSON text; a success in encoded JSON is passed on as the text that it already is. */
function answerText({ outcome, logLines }: Finished, format: Format, showLogs: boolean): string {
  const logs = JSON.stringify(showLogs ? logLines : []);
  if (outcome.ok) {
    const value =
      format === "json" ? JSON.stringify(cleanJson(parseJson(outcome.value, "The result"))) : outcome.value;
    return `{"status":"success","value":${value},"logLines":${logs}}`;
  }
  const { message, data } = outcome.failure;
  const shown = data === undefined || format !== "json" ? data : cleanJson(data);
  const errorData = shown === undefined ? "" : `,"errorData":${JSON.stringify(shown)}`;
  return `{"status":"error","errorMessage":${JSON.stringify(message)}${errorData},"logLines":${logs}}`;
}
