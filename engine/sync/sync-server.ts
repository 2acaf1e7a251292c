import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../clock";
import { PING } from "./server-messages";
import { createSession, type Line, type SessionParts } from "./session";

/** A client that reconnects sends all its queries in one message; 16 MiB of arguments each is the rarest of them. */
const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
/** How often every socket is probed (Convex). */
const PROBE_MS = 5_000;
/** Clients reconnect after 60 s without a message; they hear a Ping after 15 s of silence (Convex). */
const SILENCE_MS = 15_000;
/** A socket from which nothing came for so long, not even a pong, is gone (Convex). */
const GONE_MS = 120_000;
/** How long a client may take to answer the close at shutdown. */
const CLOSE_MS = 2_000;
const CLOSE_INTERNAL_ERROR = 1011;

export interface SyncServer {
  /** Takes over an upgrade request, or ends it with 404 when it is not for the sync protocol. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes every socket so that its client comes back soon. */
  close(): Promise<void>;
}

type Client = { socket: WebSocket; heardMs: number; spokeMs: number };

/** Sockets of `/api/{client version}/sync`: one session each, kept alive by probes. */
export function createSyncServer(parts: SessionParts): SyncServer {
  const { clock } = parts;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  });
  const clients = new Set<Client>();
  const stopProbing = every(clock, PROBE_MS, () => {
    for (const client of clients) {
      probe(client, clock.nowMs());
    }
  });

  const serve = (socket: WebSocket, request: IncomingMessage, clientVersion: string) => {
    const client: Client = { socket, heardMs: clock.nowMs(), spokeMs: clock.nowMs() };
    clients.add(client);
    const line: Line = {
      send(text, sent) {
        client.spokeMs = clock.nowMs();
        // An error means that the socket is closing; `close` follows and ends the session.
        socket.send(text, () => sent?.());
      },
      close: (code, reason) => socket.close(code, reason),
      ip: request.socket.remoteAddress,
      userAgent: request.headers["user-agent"],
      understandsChunks: understandsChunks(clientVersion),
    };
    const session = createSession(parts, line);
    socket.on("message", (data, isBinary) => {
      client.heardMs = clock.nowMs();
      session.receive(isBinary ? "" : textOf(data));
    });
    socket.on("pong", () => {
      client.heardMs = clock.nowMs();
    });
    socket.on("error", (error) => parts.log(`A client's socket failed: ${error.message}`));
    socket.on("close", () => {
      clients.delete(client);
      session.closed();
    });
  };

  return {
    upgrade(request, socket, head) {
      const path = (request.url ?? "").split("?")[0] ?? "";
      const version = /^\/api\/(?:([^/]+)\/)?sync$/.exec(path);
      if (version === null) {
        socket.on("error", () => socket.destroy()); // A caller that leaves early must not end the process.
        socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        return;
      }
      server.handleUpgrade(request, socket, head, (webSocket) => serve(webSocket, request, version[1] ?? ""));
    },
    async close() {
      stopProbing();
      const closed = [...clients].map(({ socket }) => closeSocket(socket, clock));
      await Promise.all(closed);
      server.close();
    },
  };
}

function probe(client: Client, nowMs: number): void {
  if (nowMs - client.heardMs >= GONE_MS) {
    client.socket.terminate();
    return;
  }
  client.socket.ping();
  if (nowMs - client.spokeMs >= SILENCE_MS) {
    client.spokeMs = nowMs;
    client.socket.send(PING);
  }
}

function closeSocket(socket: WebSocket, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(CLOSE_MS, () => socket.terminate());
    socket.once("close", () => {
      cancel();
      resolve();
    });
    socket.close(CLOSE_INTERNAL_ERROR, "InternalServerError");
  });
}

function every(clock: Clock, intervalMs: number, run: () => void): () => void {
  let cancel = () => {};
  const arm = () => {
    cancel = clock.setTimer(intervalMs, () => {
      run();
      arm();
    });
  };
  arm();
  return () => cancel();
}

/** TransitionChunk came with version 1.28 of the npm client. */
function understandsChunks(clientVersion: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(clientVersion) ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 28);
}

const textOf = (data: RawData): string =>
  Array.isArray(data) ? Buffer.concat(data).toString("utf8") : Buffer.from(data as Buffer).toString("utf8");
