import type { IncomingMessage, ServerResponse } from "node:http";
import { HTTP_BODY_BYTES_MAX } from "../functions/limits";
import type { Exchange } from "./answer";
import { HttpError } from "./http-error";

/** Methods that an HTTP action may be registered for; HEAD is answered by the route for GET. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const METHODS_WITH_BODY = new Set(["POST", "PUT", "PATCH", "DELETE"]);
/** Headers of one connection (RFC 9110, 7.6.1): they are Node's to set. */
const CONNECTION_HEADERS = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "te",
  "trailer",
]);

/**
 * Builds the Request that an HTTP action sees. Its URL names the host and scheme that the caller used, also behind a
 * proxy that says so (`X-Forwarded-Proto` or `Forwarded`). The body streams, at the pace of its reader; the signal aborts
 * when the caller goes before the answer is out.
 * @param path path and query with which the route is looked up
 */
export function actionRequest(
  { request: incoming, response: outgoing }: Pick<Exchange, "request" | "response">,
  path: string,
  fallbackHost: string,
): Request {
  const method = incoming.method ?? "GET";
  if (!METHODS.has(method)) {
    throw new HttpError(405, "MethodNotAllowed", `HTTP actions do not take ${method} requests.`);
  }
  if (Number(incoming.headers["content-length"] ?? 0) > HTTP_BODY_BYTES_MAX) {
    throw new HttpError(
      413,
      "RequestTooLarge",
      `The request body is larger than ${HTTP_BODY_BYTES_MAX} bytes.`,
      {
        connection: "close",
      },
    );
  }
  const url = `${scheme(incoming)}://${incoming.headers.host ?? fallbackHost}${path}`;
  const aborter = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) {
      aborter.abort();
    }
  });
  const body = METHODS_WITH_BODY.has(method) ? bodyOf(incoming) : null;
  try {
    return new Request(url, {
      method,
      headers: requestHeaders(incoming),
      signal: aborter.signal,
      ...(body === null ? {} : { body, duplex: "half" }),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HttpError(400, "BadRequest", `The request cannot be understood: ${reason}.`);
  }
}

function scheme(incoming: IncomingMessage): "http" | "https" {
  const forwarded = /(?:^|[;,\s])proto="?(https?)\b/i.exec(String(incoming.headers["forwarded"] ?? ""))?.[1];
  const first = String(incoming.headers["x-forwarded-proto"] ?? forwarded ?? "http").split(",")[0];
  return first?.trim().toLowerCase() === "https" ? "https" : "http";
}

function requestHeaders(incoming: IncomingMessage): Headers {
  const headers = new Headers();
  const raw = incoming.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? "";
    if (!CONNECTION_HEADERS.has(name.toLowerCase())) {
      headers.append(name, raw[i + 1] ?? "");
    }
  }
  return headers;
}

/** The body as the function reads it. What it leaves is let pass, so that the connection can carry the next request. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let passedBytes = 0;
  let isWanted = true;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        incoming.pause();
        incoming.on("data", (chunk: Buffer) => {
          if (isWanted) {
            // A plain Uint8Array: functions must not get Node's Buffer.
            controller.enqueue(new Uint8Array(chunk));
            incoming.pause();
            return;
          }
          // Callers read the answer only when they have sent everything, so that much is let pass; not without an end.
          passedBytes += chunk.length;
          if (passedBytes > HTTP_BODY_BYTES_MAX) {
            incoming.destroy();
          }
        });
        incoming.once("end", () => {
          if (isWanted) {
            controller.close();
          }
          isWanted = false;
        });
        incoming.once("close", () => {
          if (isWanted) {
            controller.error(new TypeError("The caller has gone before the body of its request had ended."));
          }
        });
        incoming.once("error", () => undefined); // Told by "close", which follows.
      },
      pull() {
        incoming.resume();
      },
      cancel() {
        isWanted = false;
        incoming.resume();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Sends the action's response, as it streams. A body beyond 20 MiB is cut there; `log` hears of it. */
export async function sendActionResponse(
  response: Response,
  outgoing: ServerResponse,
  log: (line: string) => void,
): Promise<void> {
  outgoing.statusCode = response.status;
  if (response.statusText !== "") {
    outgoing.statusMessage = response.statusText;
  }
  for (const [name, value] of response.headers) {
    // A length that will not be reached would leave the caller waiting.
    const lies = name === "content-length" && Number(value) > HTTP_BODY_BYTES_MAX;
    if (!CONNECTION_HEADERS.has(name) && name !== "set-cookie" && !lies) {
      outgoing.setHeader(name, value);
    }
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) {
    outgoing.setHeader("set-cookie", cookies);
  }
  // A body that is shorter or longer than announced would shift the next answer on the connection.
  outgoing.strictContentLength = true;
  outgoing.flushHeaders();
  if (response.body !== null) {
    await pipe(response.body, outgoing, log);
  }
  outgoing.end();
}

/** Sends a body at the pace of the caller, and lets go of it as soon as the caller has gone. */
async function pipe(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  log: (line: string) => void,
): Promise<void> {
  const reader = body.getReader();
  const stop = () => void reader.cancel().catch((error: unknown) => log(`A body did not stop: ${error}`));
  outgoing.once("close", stop);
  if (outgoing.req.method === "HEAD" || outgoing.destroyed) {
    stop();
  }
  try {
    let size = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done || outgoing.destroyed) {
        return;
      }
      const left = HTTP_BODY_BYTES_MAX - size;
      size += value.byteLength;
      const hasRoom = outgoing.write(value.byteLength > left ? value.subarray(0, left) : value);
      if (size > HTTP_BODY_BYTES_MAX) {
        log(`The response of an HTTP action was cut at ${HTTP_BODY_BYTES_MAX} bytes.`);
        stop();
        return;
      }
      if (!hasRoom) {
        await roomIn(outgoing);
      }
    }
  } finally {
    outgoing.off("close", stop);
  }
}

function roomIn(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      outgoing.off("drain", go);
      outgoing.off("close", go);
      resolve();
    };
    outgoing.once("drain", go);
    outgoing.once("close", go);
  });
}
