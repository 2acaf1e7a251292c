import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { SECOND_MS } from "#shared/time";
import { sseData } from "./sse-data";
import { followChannel, withChannel } from "./stdio-channel";

export type Bridge = {
  url: URL;
  key: string;
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
  /** Whose messages are carried into the session as they come (`stdio-channel`); absent = nobody's. */
  senders?: ReadonlySet<string> | null;
};

const PROTOCOL_VERSION_KEY = "io.modelcontextprotocol/protocolVersion";

/** Pause before a broken stream is opened again. */
const AGAIN_AFTER_MS = SECOND_MS;

/** Code of MCP's own transport for whatever went wrong below the protocol. */
const TRANSPORT_ERROR = -32_000;

const messageShape = z.looseObject({
  method: z.string().optional(),
  id: z.union([z.string(), z.number()]).nullish(),
  params: z
    .looseObject({
      name: z.string().optional().catch(undefined),
      uri: z.string().optional().catch(undefined),
      requestId: z.union([z.string(), z.number()]).optional().catch(undefined),
      _meta: z.looseObject({ [PROTOCOL_VERSION_KEY]: z.string().optional().catch(undefined) }).optional(),
      notifications: z
        .looseObject({ resourceSubscriptions: z.array(z.string()).optional() })
        .optional()
        .catch(undefined),
    })
    .optional(),
  result: z
    .looseObject({
      protocolVersion: z.string().optional().catch(undefined),
      structuredContent: z.unknown().optional(),
    })
    .optional(),
  error: z.unknown().optional(),
});
type Message = z.infer<typeof messageShape>;

/**
 * Carries MCP between a client's pipe and the endpoint of an installation, message by message and for both protocols.
 * What a pipe cannot say is done here: the headers of the protocol, the session of the older one and its stream, and
 * opening a stream again that broke. Resolves when the client closes its end.
 */
export async function bridgeStdio(bridge: Bridge): Promise<void> {
  const state = new Connection(bridge);
  for await (const line of createInterface({ input: bridge.input })) {
    if (line.trim() !== "") state.take(line);
  }
  await state.close();
}

class Connection {
  readonly #bridge: Bridge;
  readonly #ended = new AbortController();
  /** Requests under way, which a client of the newer protocol may give up. */
  readonly #running = new Map<string | number, AbortController>();
  readonly #subscribed = new Set<string>();
  #session: string | null = null;
  #version: string | null = null;
  #initialize: Message | null = null;
  /** Messages of the older protocol before the session is known wait for it. */
  #opening: Promise<void> = Promise.resolve();

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  take(line: string): void {
    const parsed = messageShape.safeParse(parseJson(line));
    if (!parsed.success) {
      this.#write({ id: null, error: { code: -32_700, message: "Not a JSON-RPC message." } });
      return;
    }
    const message = parsed.data;
    const { method, params } = message;
    const isModern = params?._meta?.[PROTOCOL_VERSION_KEY] !== undefined;
    if (method === "notifications/cancelled" && params?.requestId !== undefined) {
      const running = this.#running.get(params.requestId);
      running?.abort();
      if (running !== undefined) return;
    }
    if (method === "initialize" && !isModern) {
      this.#initialize = message;
      this.#opening = this.#request(message);
      return;
    }
    void this.#opening.then(async () => {
      await (isModern && method === "subscriptions/listen" ? this.#listen(message) : this.#request(message));
      if (method !== "notifications/initialized") return;
      if (this.#session !== null) void this.#hear();
      void this.#channel();
    });
  }

  async close(): Promise<void> {
    this.#ended.abort();
    if (this.#session === null) return;
    // The client is gone and nobody is left to tell; a session that is not ended here ends by its own time.
    await this.#fetch("DELETE", null).catch(() => undefined);
  }

  /** Sends one message and gives every answer to the client. */
  async #request(message: Message): Promise<void> {
    try {
      let response = await this.#post(message);
      if (response.status === 404 && this.#session !== null && message !== this.#initialize) {
        await this.#beginAgain();
        response = await this.#post(message);
      }
      await this.#answer(message, response);
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#failed(message, error);
    } finally {
      if (message.id !== undefined && message.id !== null) this.#running.delete(message.id);
    }
  }

  /** A stream of the newer protocol; when it breaks it is opened again, and all it covers counts as changed. */
  async #listen(message: Message): Promise<void> {
    const uris = message.params?.notifications?.resourceSubscriptions ?? [];
    for (let isFirst = true; !this.#ended.signal.aborted; isFirst = false) {
      try {
        const response = await this.#post(message);
        if (!response.ok || response.body === null) return await this.#answer(message, response);
        for await (const data of sseData(response.body)) {
          const part = messageShape.parse(parseJson(data));
          const isAcknowledgement = part.method === "notifications/subscriptions/acknowledged";
          if (isFirst || !isAcknowledgement) this.#writeText(data);
          else for (const uri of uris) this.#writeChanged(uri, message.id ?? null);
          if (part.result !== undefined) return;
        }
      } catch (error) {
        if (this.#running.get(message.id ?? "")?.signal.aborted !== false) return;
        if (isFirst) this.#failed(message, error);
      }
      await delay(AGAIN_AFTER_MS);
      if (this.#running.get(message.id ?? "")?.signal.aborted !== false) return;
    }
  }

  /** The stream of a session of the older protocol. */
  async #hear(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      try {
        const response = await this.#fetch("GET", null);
        if (response.status === 404) await this.#beginAgain();
        else if (!response.ok || response.body === null) return;
        else for await (const data of sseData(response.body)) this.#writeText(data);
      } catch {
        // It broke, which the next turn of the loop repairs.
      }
      if (!this.#ended.signal.aborted) await delay(AGAIN_AFTER_MS);
    }
  }

  /** Tells what the people of the channel write; it ends with the connection. */
  async #channel(): Promise<void> {
    const { senders } = this.#bridge;
    if (senders === undefined || senders === null) return;
    let calls = 0;
    const call = async (name: string, args: object): Promise<unknown> => {
      const id = `channel ${++calls}`;
      try {
        const response = await this.#post({ id, method: "tools/call", params: { name, arguments: args } });
        const parsed = messageShape.safeParse(parseJson(await response.text()));
        return parsed.data?.result?.structuredContent;
      } catch {
        // The next question finds out whether the installation is there again.
        return undefined;
      } finally {
        this.#running.delete(id);
      }
    };
    const tell = (notification: object) => this.#write(notification);
    await followChannel({ senders, call, tell, ended: this.#ended.signal });
  }

  /** The session is over, which the client behind the pipe need not know: a new one subscribes to the same. */
  async #beginAgain(): Promise<void> {
    if (this.#initialize === null) return;
    this.#session = null;
    const response = await this.#post(this.#initialize);
    this.#session = response.headers.get("mcp-session-id");
    await response.body?.cancel();
    for (const uri of this.#subscribed) {
      const answer = await this.#post({ id: `again ${uri}`, method: "resources/subscribe", params: { uri } });
      await answer.body?.cancel();
    }
  }

  async #post(message: Message): Promise<Response> {
    const { id, method, params } = message;
    const aborted = new AbortController();
    if (id !== undefined && id !== null) this.#running.set(id, aborted);
    if (method === "resources/subscribe" && params?.uri !== undefined) this.#subscribed.add(params.uri);
    if (method === "resources/unsubscribe" && params?.uri !== undefined) this.#subscribed.delete(params.uri);
    return await this.#fetch("POST", message, aborted.signal);
  }

  async #fetch(method: string, message: Message | null, signal?: AbortSignal): Promise<Response> {
    const headers = new Headers({
      authorization: `Bearer ${this.#bridge.key}`,
      accept: method === "GET" ? "text/event-stream" : "application/json, text/event-stream",
    });
    const claimed = message?.params?._meta?.[PROTOCOL_VERSION_KEY];
    if (claimed !== undefined) {
      headers.set("mcp-protocol-version", claimed);
      headers.set("mcp-method", headerValue(message?.method ?? ""));
      const name = message?.params?.name ?? message?.params?.uri;
      if (name !== undefined) headers.set("mcp-name", headerValue(name));
    } else {
      if (this.#session !== null) headers.set("mcp-session-id", this.#session);
      if (this.#version !== null) headers.set("mcp-protocol-version", this.#version);
    }
    if (message !== null) headers.set("content-type", "application/json");
    const ending = method === "DELETE" ? [] : [this.#ended.signal];
    return await fetch(this.#bridge.url, {
      method,
      headers,
      redirect: "error",
      signal: AbortSignal.any([...ending, ...(signal === undefined ? [] : [signal])]),
      ...(message !== null && { body: JSON.stringify({ ...message, jsonrpc: "2.0" }) }),
    });
  }

  async #answer(message: Message, response: Response): Promise<void> {
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("text/event-stream") && response.body !== null) {
      for await (const data of sseData(response.body)) this.#writeText(data);
      return;
    }
    const parsed = messageShape.safeParse(parseJson(await response.text()));
    const isRpc = parsed.success && (parsed.data.result !== undefined || isRpcError(parsed.data.error));
    if (!isRpc) {
      if (message.id !== undefined && message.id !== null && !response.ok)
        this.#failed(message, response.status);
      return;
    }
    if (message.method === "initialize") {
      this.#session = response.headers.get("mcp-session-id");
      this.#version = parsed.data.result?.protocolVersion ?? null;
      const { result } = parsed.data;
      if (this.#bridge.senders && result !== undefined) parsed.data.result = withChannel(result);
    }
    this.#write({ ...parsed.data, id: parsed.data.id ?? message.id ?? null });
  }

  /** Only requests are answered; a notification that got lost has nobody to be told to. */
  #failed({ id }: Message, why: unknown): void {
    if (id === undefined || id === null) return;
    const sentence =
      why === 401
        ? "The key is not valid, or no longer: set PONS_API_KEY to a valid one."
        : why === 429
          ? "Too many requests. Wait, then try again."
          : `Pons at ${this.#bridge.url.origin} does not answer${typeof why === "number" ? ` (${why})` : ""}.`;
    this.#write({ id, error: { code: TRANSPORT_ERROR, message: sentence } });
  }

  #writeChanged(uri: string, subscription: string | number | null): void {
    const _meta = { "io.modelcontextprotocol/subscriptionId": subscription };
    this.#write({ method: "notifications/resources/updated", params: { uri, _meta } });
  }

  #write(message: object): void {
    this.#writeText(JSON.stringify({ jsonrpc: "2.0", ...message }));
  }

  #writeText(text: string): void {
    if (!this.#ended.signal.aborted) this.#bridge.output.write(`${text}\n`);
  }
}

const isRpcError = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "number";

/** As the protocol writes values into headers: plain where they are visible ASCII, otherwise in Base64. */
const headerValue = (text: string): string =>
  /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith("=?base64?")
    ? text
    : `=?base64?${Buffer.from(text).toString("base64")}?=`;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
