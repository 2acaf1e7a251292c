import { once } from "node:events";
import net from "node:net";
import { performance } from "node:perf_hooks";
import type { Delivery } from "./webhook-bodies";

export type WebhookLoad = {
  /** Posts a prepared request over a free connection; resolves with its 200 read whole, throws on another answer. */
  post(request: Buffer): Promise<string>;
  close(): void;
};

/** The whole request as bytes, so that sending it costs the machine as little as possible. */
export function requestBytes(url: string, { body, signature }: Delivery): Buffer {
  const { host, pathname } = new URL(url);
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${host}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
    `x-hub-signature-256: ${signature}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
}

/**
 * A client that does next to nothing: kept connections, one request at a time on each, answers only looked at for
 * their status and their end. Node's own client costs more than the servers that are to be measured.
 */
export async function openWebhookLoad(url: string, connections: number): Promise<WebhookLoad> {
  const { hostname, port } = new URL(url);
  const all = Array.from({ length: connections }, () => new Connection(hostname, Number(port)));
  await Promise.all(all.map((connection) => connection.open()));
  const free = [...all];
  const waiting: ((connection: Connection) => void)[] = [];
  return {
    async post(request) {
      const connection = free.pop() ?? (await new Promise<Connection>((resolve) => waiting.push(resolve)));
      try {
        return await connection.exchange(request);
      } finally {
        const next = waiting.shift();
        if (next === undefined) free.push(connection);
        else next(connection);
      }
    },
    close() {
      for (const connection of all) connection.close();
    },
  };
}

/** Node's servers close a connection that was idle for 5 seconds; one that is idle this long is opened anew instead. */
const IDLE_MS_MAX = 3_000;

class Connection {
  readonly #host: string;
  readonly #port: number;
  #socket = new net.Socket();
  #usedAtMs = Number.NEGATIVE_INFINITY;
  #received = "";
  #pending: { done(): void; fail(error: Error): void } | null = null;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  async open(): Promise<void> {
    this.#socket.destroy();
    const socket = net.connect({ host: this.#host, port: this.#port, noDelay: true });
    this.#socket = socket;
    await once(socket, "connect");
    this.#usedAtMs = performance.now();
    // Latin-1 keeps one character per byte, so lengths in bytes are lengths in characters.
    socket.setEncoding("latin1");
    socket.on("data", (part: string) => this.#hear(part));
    socket.on("error", (error) => socket === this.#socket && this.#end(error));
    socket.on("close", () => socket === this.#socket && this.#end(new Error("A connection was closed.")));
  }

  async exchange(request: Buffer): Promise<string> {
    if (performance.now() - this.#usedAtMs > IDLE_MS_MAX || this.#socket.destroyed) await this.open();
    await new Promise<void>((done, fail) => {
      this.#pending = { done, fail };
      this.#received = "";
      this.#socket.write(request);
    });
    this.#usedAtMs = performance.now();
    return this.#received;
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(part: string): void {
    this.#received += part;
    if (!isWhole(this.#received)) return;
    this.#end(this.#received.startsWith("HTTP/1.1 200 ") ? null : new Error(this.#received.slice(0, 500)));
  }

  #end(error: Error | null): void {
    const pending = this.#pending;
    this.#pending = null;
    if (error === null) pending?.done();
    else pending?.fail(error);
  }
}

/** Whether an answer has come to its end, whichever way its length is told. */
function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf("\r\n\r\n");
  if (headEnd === -1) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, headEnd))?.[1];
  return length === undefined ? answer.endsWith("0\r\n\r\n") : answer.length >= headEnd + 4 + Number(length);
}
