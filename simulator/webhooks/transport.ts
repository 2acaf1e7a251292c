import http from "node:http";
import https from "node:https";

/** Bytes of an answer that are read; Meta looks at the status and, for a handshake, at a short challenge. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** Connections to one callback at a time, so that a burst does not exhaust the receiver's sockets. */
const CONNECTIONS_MAX = 100;
/** Idle connections are given up before servers usually close them (Node: 5 s), so that none dies in use. */
const IDLE_MS_MAX = 2_000;

export interface CallbackRequest {
  readonly method: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Real time: the receiver is real. */
  readonly timeoutMs: number;
  /** Ends the request when the simulator stops. */
  readonly closing: AbortSignal;
}

export type CallbackAnswer = { readonly status: number; readonly text: string } | { readonly error: string };

/** Calls callbacks over kept connections. Redirects are not followed, and a certificate must be good, as with Meta. */
export class CallbackTransport {
  readonly #agents = {
    "http:": new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: IDLE_MS_MAX }),
    "https:": new https.Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: IDLE_MS_MAX }),
  };

  /** The answer, or the name of the reason for which there is none (`ECONNREFUSED`, `TimeoutError`, ...). */
  async call(url: URL, request: CallbackRequest): Promise<CallbackAnswer> {
    const first = await this.#callOnce(url, request);
    // A kept connection that the other side closed meanwhile says nothing about the callback: try a new one.
    return "stale" in first ? this.#callOnce(url, request) : first;
  }

  close(): void {
    this.#agents["http:"].destroy();
    this.#agents["https:"].destroy();
  }

  #callOnce(url: URL, request: CallbackRequest): Promise<CallbackAnswer & { stale?: true }> {
    return new Promise((resolve) => {
      const isSecure = url.protocol === "https:";
      const options = { method: request.method, headers: { ...request.headers } };
      const onResponse = (response: http.IncomingMessage) => {
        let text = "";
        const end = () => resolve({ status: response.statusCode ?? 0, text });
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > ANSWER_BYTES_MAX) response.destroy();
        });
        response.once("error", (error) => resolve({ error: reasonOf(error) }));
        // Comes after the end, and also when enough was read; after a failure the promise is settled already.
        response.once("close", end);
      };
      const outgoing = isSecure
        ? https.request(url, { ...options, agent: this.#agents["https:"] }, onResponse)
        : http.request(url, { ...options, agent: this.#agents["http:"] }, onResponse);
      const timer = setTimeout(() => outgoing.destroy(named("TimeoutError")), request.timeoutMs);
      const onClosing = () => outgoing.destroy(named("AbortError"));
      if (request.closing.aborted) onClosing();
      request.closing.addEventListener("abort", onClosing, { once: true });
      outgoing.once("close", () => {
        clearTimeout(timer);
        request.closing.removeEventListener("abort", onClosing);
      });
      outgoing.on("error", (error) => {
        const reason = reasonOf(error);
        const isStale = outgoing.reusedSocket && reason === "ECONNRESET";
        resolve({ error: reason, ...(isStale && { stale: true as const }) });
      });
      outgoing.end(request.body);
    });
  }
}

function reasonOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}
