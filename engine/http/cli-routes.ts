import type { Clock } from "../clock";
import { requireArray, requireObject, requireString } from "../json";
import type { Deploy, JsonValue } from "../types";
import { answerJson, type Exchange } from "./answer";
import { CALL_BYTES_MAX, PUSH_BYTES_MAX, readJsonBody } from "./body";
import { HttpError } from "./http-error";

/** A waiting `convex logs` gets an empty answer by then and asks again; below the 60 s of common proxies. */
const LOG_POLL_MS = 50_000;

export type CliRoutes = {
  deploy: Deploy;
  clock: Clock;
  cloudOrigin: string;
  siteOrigin: string;
  /** Fires at shutdown: what waits for news gives up. */
  closing: AbortSignal;
};

type Route = (exchange: Exchange, routes: CliRoutes) => Promise<void>;

const push =
  (run: (deploy: Deploy, body: JsonValue) => Promise<JsonValue>): Route =>
  async (exchange, { deploy }) =>
    answerJson(exchange, 200, await run(deploy, await readJsonBody(exchange.request, PUSH_BYTES_MAX)));

/** What the official CLI calls with the admin key, by method and path. */
export const CLI_ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  [
    "POST /api/get_config_hashes",
    async (exchange, { deploy }) => answerJson(exchange, 200, await deploy.configHashes()),
  ],
  ["POST /api/deploy2/start_push", push((deploy, body) => deploy.startPush(body))],
  ["POST /api/deploy2/evaluate_push", push((deploy, body) => deploy.evaluatePush(body))],
  ["POST /api/deploy2/evaluate_schema", push((deploy, body) => deploy.evaluateSchema(body))],
  ["POST /api/deploy2/wait_for_schema", push((deploy, body) => deploy.waitForSchema(body))],
  ["POST /api/deploy2/finish_push", push((deploy, body) => deploy.finishPush(body))],
  ["POST /api/deploy2/report_push_completed", push(async () => null)],
  ["POST /api/update_environment_variables", updateEnvironmentVariables],
  [
    "GET /api/v1/get_canonical_urls",
    async (exchange, { cloudOrigin, siteOrigin }) =>
      answerJson(exchange, 200, { convexCloudUrl: cloudOrigin, convexSiteUrl: siteOrigin }),
  ],
  ["GET /api/stream_function_logs", streamFunctionLogs],
]);

async function updateEnvironmentVariables(exchange: Exchange, { deploy }: CliRoutes): Promise<void> {
  const body = requireObject(await readJsonBody(exchange.request, CALL_BYTES_MAX), "The request body");
  const changes = requireArray(body["changes"], "changes").map((change) => {
    const { name, value } = requireObject(change, "A change");
    return { name: requireString(name, "name"), value: value == null ? null : requireString(value, "value") };
  });
  await deploy.env.update(changes);
  answerJson(exchange, 200, null);
}

/** Waits for log lines after the cursor, until there are some, the time is over or the caller has gone. */
async function streamFunctionLogs(exchange: Exchange, { deploy, clock, closing }: CliRoutes): Promise<void> {
  const text = exchange.url.searchParams.get("cursor") ?? "0";
  const cursor = Number(text);
  if (!Number.isFinite(cursor)) {
    throw new HttpError(400, "BadCursor", `The cursor ${text} is not a number.`);
  }
  let stopWaiting = () => {};
  const nothing = new Promise<{ entries: JsonValue[]; newCursor: number }>((resolve) => {
    const answer = () => resolve({ entries: [], newCursor: cursor });
    const cancelTimer = clock.setTimer(LOG_POLL_MS, answer);
    exchange.response.once("close", answer);
    closing.addEventListener("abort", answer);
    stopWaiting = () => {
      cancelTimer();
      closing.removeEventListener("abort", answer);
    };
  });
  const { entries, newCursor } = await Promise.race([deploy.logs(cursor), nothing]);
  stopWaiting();
  if (!exchange.response.destroyed) {
    answerJson(exchange, 200, { entries, newCursor });
  }
}
