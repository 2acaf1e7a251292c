import { execFile } from "node:child_process";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { DeliveryEntry, RequestEntry } from "./journal";
import { type RunningSimulator, type SimulatorOptions, startSimulator } from "./simulator";

/** One webhook as it arrived, byte for byte. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly at: number;
}

/** A status; `null` for no answer, `reset` for a connection that breaks, or an address that leads elsewhere. */
type ReceiverAnswer = number | null | "reset" | { readonly location: string };

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** Answers the following webhooks in this way. */
  answer: (nth: number) => ReceiverAnswer;
  /** Resolves once so many webhooks have arrived. */
  arrived(count: number): Promise<Received[]>;
  close(): Promise<void>;
}

/** A callback as an app would have it: it answers the handshake and keeps what arrives. */
export async function startReceiver(verifyToken = "sim-verify-token"): Promise<Receiver> {
  const received: Received[] = [];
  const waiting: { count: number; resolve: (list: Received[]) => void }[] = [];
  const receiver = { answer: (_nth: number): ReceiverAnswer => 200 };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://receiver");
    if (request.method === "GET") {
      const good = url.searchParams.get("hub.verify_token") === verifyToken;
      response.writeHead(good ? 200 : 403).end(good ? url.searchParams.get("hub.challenge") : "no");
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ headers: request.headers, bytes: Buffer.concat(chunks), at: performance.now() });
      for (const { count, resolve } of waiting) if (received.length >= count) resolve(received);
      const answer = receiver.answer(received.length);
      if (answer === "reset") request.socket.resetAndDestroy();
      else if (typeof answer === "number") response.writeHead(answer).end("seen");
      else if (answer !== null) response.writeHead(302, answer).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The receiver has no port.");
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${address.port}/api/webhook`,
    received,
    arrived: (count: number) =>
      new Promise<Received[]>((resolve) => {
        if (received.length >= count) resolve(received);
        else waiting.push({ count, resolve });
      }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

export const NUMBER = "106540352242922";
export const WABA = "102290129340398";
export const SHEENA = "+16505551234";

/** The fields of all answers together. A test reads those that its call has; the others are missing at run time. */
export interface AnswerBody {
  readonly messageId: string;
  readonly deliveries: readonly DeliveryEntry[];
  readonly requests: readonly RequestEntry[];
  readonly messages: readonly { readonly id: string; readonly status: string }[];
  readonly contacts: readonly { readonly input: string; readonly wa_id: string }[];
  readonly error: {
    readonly code: number;
    readonly path: string;
    readonly message: string;
    readonly fbtrace_id: string;
  };
  readonly data: readonly { readonly name: string }[];
  readonly paging: { readonly next?: string };
  readonly id: string;
  readonly url: string;
  readonly sha256: string;
  readonly app: object;
  readonly clock: { readonly now: number };
  readonly wabas: readonly { readonly id: string }[];
  readonly numbers: readonly { readonly id: string }[];
  readonly customers: readonly {
    readonly name: string;
    readonly userId: string;
    readonly windows: readonly object[];
  }[];
  readonly templates: readonly { readonly status: string }[];
  readonly media: readonly { readonly id: string }[];
  readonly faults: readonly { readonly id: number }[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AnswerBody;
  /** The body as it came, for answers that are not JSON. */
  readonly text: string;
}

export interface Bench {
  readonly simulator: RunningSimulator;
  readonly receiver: Receiver;
  /** A call of the control API. */
  control(path: string, body?: unknown, method?: string): Promise<Answer>;
  /** A Graph call with the access token. */
  graph(path: string, body?: unknown, init?: RequestInit): Promise<Answer>;
  /** Uploads a small file of this type and gives its media id. */
  upload(mimeType: string): Promise<string>;
  /** Sends a text to Sheena, or what is given. */
  send(message?: object): Promise<Answer>;
  close(): Promise<void>;
}

/** A simulator whose webhooks go to a receiver, both on free ports. */
export async function startBench(options: SimulatorOptions = {}): Promise<Bench> {
  const receiver = await startReceiver();
  const statusDelaysMs = { sent: 5, delivered: 15, read: 25 };
  const simulator = await startSimulator({ port: 0, webhookUrl: receiver.url, statusDelaysMs, ...options });
  const call = async (url: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(url, init);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : {}, text };
  };
  const graph = (path: string, body?: unknown, init: RequestInit = {}) =>
    call(`${simulator.url}/v25.0${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: "Bearer sim-access-token", "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...init,
    });
  return {
    simulator,
    receiver,
    graph,
    control: (path, body, method = body === undefined ? "GET" : "POST") =>
      call(`${simulator.url}/_sim/${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    upload: async (mimeType) => {
      const form = new FormData();
      form.set("messaging_product", "whatsapp");
      form.set("type", mimeType);
      form.set("file", new Blob([new Uint8Array(64)], { type: mimeType }), "file.bin");
      const answer = await graph(`/${NUMBER}/media`, undefined, {
        method: "POST",
        headers: { authorization: "Bearer sim-access-token" },
        body: form,
      });
      return answer.body.id;
    },
    send: (message = { type: "text", text: { body: "Hi" } }) =>
      graph(`/${NUMBER}/messages`, { messaging_product: "whatsapp", to: SHEENA, ...message }),
    close: async () => {
      await simulator.close();
      await receiver.close();
    },
  };
}

/** One change of a webhook as it arrived. */
interface ReceivedChange {
  readonly field: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Every change that has arrived so far, in order. */
export function changesOf({ received }: Receiver): ReceivedChange[] {
  return received.flatMap(({ bytes }) =>
    JSON.parse(bytes.toString()).entry.flatMap((entry: { changes: ReceivedChange[] }) => entry.changes),
  );
}

/** The items of one list in all webhooks that arrived, such as every message or status. */
export function itemsOf(receiver: Receiver, list: string): Readonly<Record<string, unknown>>[] {
  return changesOf(receiver).flatMap(({ value }) => {
    const items = value[list];
    return Array.isArray(items) ? items : [];
  });
}

/** Of the machine, not of the project: an implementation that shares nothing with ours. */
const OPENSSL = "openssl";

/** The HMAC-SHA256 of these bytes in hex, as the binary of OpenSSL makes it. */
export function opensslHmac(bytes: Buffer, secret: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(OPENSSL, ["dgst", "-sha256", "-hmac", secret], (error, stdout) => {
      if (error !== null) reject(error);
      else resolve(/= ([0-9a-f]{64})\s*$/.exec(stdout)?.[1] ?? `openssl answered ${stdout}`);
    });
    child.stdin?.end(bytes);
  });
}
