import http from "node:http";
import { performance } from "node:perf_hooks";
import { type Era, type McpRequest, mcpBody, mcpHeaders } from "./mcp-requests";

export type StreamOrder = { era: Era; key: string; uris: readonly string[] };

/** What a stream hears: which resource changed, and when its bytes were there (`performance.now()`). */
export type Heard = (stream: number, uri: string, atMs: number) => void;

export type Streams = { close(): void };

/** Streams that are being opened at the same moment; more would measure the opening. */
const OPENING_AT_ONCE = 20;

/**
 * Opens the streams of MCP clients: `subscriptions/listen` of the newer protocol, and the stream of a session of the
 * older one. Resolves when each is open and subscribed to all of its resources.
 */
export async function openStreams(
  url: string,
  orders: readonly StreamOrder[],
  heard: Heard,
): Promise<Streams> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const requests: http.ClientRequest[] = [];
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < orders.length; n = next++) {
      const order = orders[n];
      if (order === undefined) return;
      const onUri = (uri: string, atMs: number) => heard(n, uri, atMs);
      const open = order.era === "2026-07-28" ? listen : hearSession;
      requests.push(await open({ url, agent }, order, onUri));
    }
  };
  const close = () => {
    for (const request of requests) request.destroy();
    agent.destroy();
  };
  try {
    await Promise.all(Array.from({ length: OPENING_AT_ONCE }, worker));
  } catch (error) {
    close();
    throw error;
  }
  return { close };
}

type Target = { url: string; agent: http.Agent };
type OnUri = (uri: string, atMs: number) => void;

async function listen(target: Target, { era, key, uris }: StreamOrder, onUri: OnUri) {
  const request: McpRequest = {
    method: "subscriptions/listen",
    params: { notifications: { resourceSubscriptions: uris } },
  };
  return await openStream(target, mcpHeaders(era, request, { key }), onUri, {
    body: mcpBody(era, request),
    // All that was wished is acknowledged: otherwise the benchmark would wait for what never comes.
    isOpen: (text) => text.includes("acknowledged") && uris.every((uri) => text.includes(uri)),
  });
}

async function hearSession(target: Target, { era, key, uris }: StreamOrder, onUri: OnUri) {
  const clientInfo = { name: "bench", version: "1.0.0" };
  const opened = await ask(target, era, key, {
    method: "initialize",
    params: { protocolVersion: era, capabilities: {}, clientInfo },
  });
  const session = String(opened.headers["mcp-session-id"]);
  for (const uri of uris) {
    await ask(target, era, key, { method: "resources/subscribe", params: { uri } }, session);
  }
  const headers = {
    authorization: `Bearer ${key}`,
    accept: "text/event-stream",
    "mcp-protocol-version": era,
    "mcp-session-id": session,
  };
  // A new stream tells once about everything that its session is subscribed to.
  const told = new Set<string>();
  const all = (text: string) => {
    for (const uri of uris) if (text.includes(`"${uri}"`)) told.add(uri);
    return told.size === uris.length;
  };
  return await openStream(target, headers, onUri, { body: null, isOpen: all });
}

/** A request whose answer is read to its end. Throws when it is refused. */
async function ask(
  { url, agent }: Target,
  era: Era,
  key: string,
  request: McpRequest,
  session?: string,
): Promise<http.IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const headers = mcpHeaders(era, request, { key, ...(session !== undefined && { session }) });
    const sent = http.request(url, { method: "POST", agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => {
        if (text.includes('"result"')) resolve(response);
        else reject(new Error(`${request.method}: ${response.statusCode} ${text.slice(0, 500)}`));
      });
    });
    sent.on("error", reject);
    sent.end(mcpBody(era, request));
  });
}

type Opening = {
  body: string | null;
  /** Whether what has come so far says that the stream is open. */
  isOpen: (text: string) => boolean;
};

async function openStream(
  { url, agent }: Target,
  headers: Record<string, string>,
  onUri: OnUri,
  { body, isOpen }: Opening,
): Promise<http.ClientRequest> {
  return await new Promise((resolve, reject) => {
    const sent = http.request(url, { method: body === null ? "GET" : "POST", agent, headers }, (response) => {
      let rest = "";
      let opened = false;
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        const atMs = performance.now();
        const frames = (rest + part).split("\n\n");
        rest = frames.pop() ?? "";
        for (const frame of frames) {
          const uri = opened ? /resources\/updated.*"uri":"([^"]+)"/.exec(frame)?.[1] : undefined;
          if (uri !== undefined) onUri(uri, atMs);
          if (opened || !isOpen(frame)) continue;
          opened = true;
          resolve(sent);
        }
      });
      response.on("close", () =>
        reject(new Error(`A stream ended: ${response.statusCode} ${rest.slice(0, 500)}`)),
      );
    });
    sent.on("error", reject);
    sent.end(body ?? undefined);
  });
}
