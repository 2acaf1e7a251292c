import type { IncomingMessage, ServerResponse } from "node:http";

/** Largest request that is read: Meta's largest file (documents, 100 MB) and its multipart frame. */
export const REQUEST_BYTES_MAX = 101 * 1024 * 1024;

/** A request that has been read to its end. */
export interface ReceivedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** What to answer; a plain value, so that faults can replace it before it is sent. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Reads a request wholly, or null when it is larger than allowed. Rejects when the client goes away. */
export async function readRequest(incoming: IncomingMessage): Promise<ReceivedRequest | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > REQUEST_BYTES_MAX) return null;
    chunks.push(bytes);
  }
  const target = incoming.url ?? "/";
  return {
    method: incoming.method ?? "GET",
    // The host is of no interest; a target that is not a path is treated as unknown.
    url: URL.canParse(target, "http://simulator")
      ? new URL(target, "http://simulator")
      : new URL("http://simulator/-"),
    headers: incoming.headers,
    body: Buffer.concat(chunks),
  };
}

export function json(status: number, body: unknown): Reply {
  return {
    status,
    headers: { "content-type": "application/json; charset=UTF-8" },
    body: JSON.stringify(body),
  };
}

export function sendReply(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, { ...reply.headers, "content-length": Buffer.byteLength(reply.body) });
  response.end(reply.body);
}

/** Nothing that Meta or the control API takes is nested so deeply; what is would break whoever walks through it. */
const JSON_DEPTH_MAX = 200;

/** The JSON of a body, or undefined when it is not JSON or nested beyond all reason. */
export function parseJson(body: Buffer): unknown {
  try {
    const text = body.toString("utf8");
    return isTooDeep(text) ? undefined : JSON.parse(text);
  } catch {
    // The callers answer "not JSON" in the words of the API that they stand for.
    return undefined;
  }
}

/** Whether brackets are nested beyond the limit; those inside of strings do not count. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (isInString) {
      if (character === "\\") index++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    if (depth > JSON_DEPTH_MAX) return true;
  }
  return false;
}
