import { randomUUID } from "node:crypto";
import { WebSocket } from "ws";

export type SocketOptions = { version?: string; autoPong?: boolean };

/** A message of the server, as it came. */
export type ServerMessage = { type: string; [field: string]: unknown };

/** One socket of the sync protocol that sends exactly what a test says and keeps what comes back in order. */
export class SyncClient {
  readonly #socket: WebSocket;
  readonly #inbox: ServerMessage[] = [];
  readonly #waiting: (() => void)[] = [];
  #version = { querySet: 0, identity: 0, ts: "AAAAAAAAAAA=" };
  readonly closed: Promise<{ code: number; reason: string }>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const message: ServerMessage = JSON.parse(data.toString());
      this.#inbox.push(message);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        resolve({ code, reason: reason.toString() });
        for (const wake of this.#waiting.splice(0)) wake();
      });
    });
  }

  /** Opens a socket and, unless told otherwise, says Connect. */
  static async open(
    url: string,
    connect: object | null = {},
    options: SocketOptions = {},
  ): Promise<SyncClient> {
    const { version = "1.48.0", ...socketOptions } = options;
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/${version}/sync`, socketOptions);
    const client = new SyncClient(socket);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    if (connect !== null) {
      client.send({
        type: "Connect",
        sessionId: randomUUID(),
        connectionCount: 0,
        lastCloseReason: "InitialConnect",
        clientTs: 0,
        ...connect,
      });
    }
    return client;
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** The next message, whatever it is; throws when the socket closes first. */
  async next(): Promise<ServerMessage> {
    for (;;) {
      const message = this.#inbox.shift();
      if (message !== undefined) return message;
      if (this.#socket.readyState >= WebSocket.CLOSING) throw new Error("the socket closed");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The next Transition, checked to follow from the one before. */
  async transition(): Promise<Transition> {
    const message = await this.next();
    if (message.type !== "Transition") {
      throw new Error(`expected a Transition, got ${JSON.stringify(message)}`);
    }
    // The fields are those of the protocol; what they hold is what the tests look at.
    const transition = message as unknown as Transition;
    if (JSON.stringify(sorted(transition.startVersion)) !== JSON.stringify(sorted(this.#version))) {
      throw new Error(`a Transition starts at ${JSON.stringify(transition.startVersion)}`);
    }
    this.#version = transition.endVersion;
    return transition;
  }

  /** Adds queries (as `[queryId, path, args]`) to the set. */
  subscribe(baseVersion: number, queries: [number, string, object, string?][]): void {
    const modifications = queries.map(([queryId, udfPath, args, journal]) => ({
      ...{ type: "Add", queryId, udfPath, args: [args] },
      ...(journal === undefined ? {} : { journal }),
    }));
    this.send({ type: "ModifyQuerySet", baseVersion, newVersion: baseVersion + 1, modifications });
  }

  mutate(requestId: number, udfPath: string, args: object): void {
    this.send({ type: "Mutation", requestId, udfPath, args: [args] });
  }

  /** Stops reading, as a client on a bad line does; the server notices when the buffers are full. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Messages that have come and were not looked at. */
  get unread(): number {
    return this.#inbox.length;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.closed;
  }
}

export type Version = { querySet: number; identity: number; ts: string };

export type Transition = {
  startVersion: Version;
  endVersion: Version;
  modifications: {
    type: string;
    queryId: number;
    value?: unknown;
    errorMessage?: string;
    errorData?: unknown;
    journal?: string | null;
  }[];
};

const sorted = ({ querySet, identity, ts }: Version) => ({ querySet, identity, ts });

export const tsOf = (encoded: unknown): bigint => Buffer.from(String(encoded), "base64").readBigUInt64LE();
