import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import { HttpError } from "./http-error";

/** Convex's limit for the body of a request to an HTTP action and of its response. */
export const HTTP_ACTION_BYTES_MAX = 20 * 1024 * 1024;

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
 * proxy that says so (`X-Forwarded-Proto` or `Forwarded`). The body streams, and fails beyond 20 MiB.
 * @param path path and query with which the route is looked up
 */
export function actionRequest(incoming: IncomingMessage, path: string, fallbackHost: string): Request {
  const method = incoming.method ?? "GET";
  if (!METHODS.has(method)) {
    throw new HttpError(405, "MethodNotAllowed", `HTTP actions do not take ${method} requests.`);
  }
  if (Number(incoming.headers["content-length"] ?? 0) > HTTP_ACTION_BYTES_MAX) {
    throw new HttpError(
      413,
      "RequestTooLarge",
      `The request body is larger than ${HTTP_ACTION_BYTES_MAX} bytes.`,
      {
        connection: "close",
      },
    );
  }
  const url = `${scheme(incoming)}://${incoming.headers.host ?? fallbackHost}${path}`;
  const aborter = new AbortController();
  incoming.once("close", () => {
    if (!incoming.complete) {
      aborter.abort();
    }
  });
  const body = METHODS_WITH_BODY.has(method) ? limitedBody(incoming) : null;
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

function limitedBody(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let size = 0;
  const limited = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of incoming) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > HTTP_ACTION_BYTES_MAX) {
        throw new TypeError(`The request body is larger than ${HTTP_ACTION_BYTES_MAX} bytes.`);
      }
      // A plain Uint8Array: functions must not get Node's Buffer.
      yield new Uint8Array(bytes);
    }
  };
  // Node types its own stream class and the web's apart although they are one at run time.
  return Readable.toWeb(Readable.from(limited())) as ReadableStream<Uint8Array>;
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
    const lies = name === "content-length" && Number(value) > HTTP_ACTION_BYTES_MAX;
    if (!CONNECTION_HEADERS.has(name) && name !== "set-cookie" && !lies) {
      outgoing.setHeader(name, value);
    }
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) {
    outgoing.setHeader("set-cookie", cookies);
  }
  outgoing.flushHeaders();
  if (response.body !== null) {
    await pipe(response.body, outgoing, log);
  }
  outgoing.end();
}

async function pipe(body: ReadableStream<Uint8Array>, outgoing: ServerResponse, log: (line: string) => void) {
  let size = 0;
  // The same class under two names, as above.
  for await (const chunk of body as NodeReadableStream<Uint8Array>) {
    if (outgoing.destroyed) {
      return;
    }
    const left = HTTP_ACTION_BYTES_MAX - size;
    size += chunk.byteLength;
    const more = outgoing.write(chunk.byteLength > left ? chunk.subarray(0, left) : chunk);
    if (size > HTTP_ACTION_BYTES_MAX) {
      log(`The response of an HTTP action was cut at ${HTTP_ACTION_BYTES_MAX} bytes.`);
      return;
    }
    if (!more) {
      await new Promise<void>((resolve) => {
        const go = () => {
          outgoing.off("drain", go);
          outgoing.off("close", go);
          resolve();
        };
        outgoing.once("drain", go);
        outgoing.once("close", go);
      });
    }
  }
}
