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

/** The JSON of a body, or undefined when it is not JSON. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    // The callers answer "not JSON" in the words of the API that they stand for.
    return undefined;
  }
}
