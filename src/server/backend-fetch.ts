import http from "node:http";
import https from "node:https";
import { SECOND_MS } from "#shared/time";
import { BackendUnavailable } from "./app-error";

/** No function of ours works longer than a second; a backend that needs ten is not there. */
const CALL_TIMEOUT_MS = 10 * SECOND_MS;

/** Node's servers close a connection that was idle for five seconds; by then this side must not use it any more. */
const IDLE_MS = 4 * SECOND_MS;

/** Convex answers an error of the function itself with this status; every other failure is the backend's. */
const FUNCTION_FAILED_STATUS = 560;

const kept = { keepAlive: true, timeout: IDLE_MS };
const plain = new http.Agent(kept);
const secure = new https.Agent(kept);

/**
 * A fetch for calls of the backend, over connections that are kept. The platform's own costs several times as much
 * processor time per call, which is most of what a call costs this process.
 * @throws BackendUnavailable for everything but an answer of the function itself, its error included
 */
export const fetchFromBackend: typeof fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  const headers = Object.fromEntries(new Headers(init?.headers));
  const { status, text } = await post(url, headers, String(init?.body ?? ""));
  const isOk = status >= 200 && status < 300;
  if (isOk || status === FUNCTION_FAILED_STATUS) return new Response(text, { status });
  throw new BackendUnavailable(`status ${status}: ${text.slice(0, 500)}`);
};

type Answer = { status: number; text: string };

async function post(url: URL, headers: Record<string, string>, body: string): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(new BackendUnavailable(`${error.message} ${url.origin}`));
    };
    const timer = setTimeout(() => {
      request.destroy(new Error(`no answer within ${CALL_TIMEOUT_MS} ms`));
    }, CALL_TIMEOUT_MS);
    const isSecure = url.protocol === "https:";
    const options = {
      method: "POST",
      agent: isSecure ? secure : plain,
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
    };
    const request = (isSecure ? https : http).request(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("error", fail);
      response.on("end", () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    request.on("error", fail);
    request.end(body);
  });
}
