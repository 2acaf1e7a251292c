import type { ThrownJson } from "../sandbox/port";
import type { FromWorker, HttpToWorker } from "./protocol";

export type HttpEnd =
  | { kind: "withdrawn" }
  | { kind: "response"; status: number; headers: [string, string][]; body: ReadableStream<Uint8Array> | null }
  | { kind: "noRoute" }
  | { kind: "failed"; thrown: ThrownJson };

/** What a running HTTP action can ask for and hear of its caller. */
export type HttpCaller = {
  /** The part of the request's body that did not travel with the request. */
  body: ReadableStream<Uint8Array> | null;
  /** Aborts when the caller has gone. */
  signal: AbortSignal;
};

/** Chunks of a response that are fetched from the worker before anybody asks for them. */
const CHUNKS_AHEAD = 1;

/**
 * The engine's side of one HTTP action in a worker. The body of the request goes in and that of the response comes out
 * as they stream: a chunk crosses only when the other side has room for it.
 */
export class HttpCall {
  /** The head of the response, or why there is none. */
  readonly end: Promise<HttpEnd>;
  /** When the last byte is out or nobody wants it any more; what was thrown after the head, else null. */
  readonly closed: Promise<ThrownJson | null>;
  readonly #caller: HttpCaller;
  readonly #post: (message: HttpToWorker) => void;
  #finish: (end: HttpEnd) => void = () => undefined;
  #close: (thrown: ThrownJson | null) => void = () => undefined;
  #incoming: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #outgoing: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(caller: HttpCaller, post: (message: HttpToWorker) => void) {
    this.#caller = caller;
    this.#post = post;
    this.end = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    const abort = () => post({ type: "abort" });
    caller.signal.addEventListener("abort", abort);
    void this.closed.then(() => {
      caller.signal.removeEventListener("abort", abort);
      void this.#incoming?.cancel();
    });
  }

  receive(message: FromWorker): void {
    switch (message.type) {
      case "pullBody":
        void this.#sendChunk();
        break;
      case "dropBody":
        void this.#reader()?.cancel();
        break;
      case "noRoute":
        this.#finish({ kind: "noRoute" });
        this.#close(null);
        break;
      case "head":
        this.#begin(message);
        break;
      case "chunk":
        this.#outgoing?.enqueue(message.bytes);
        break;
      case "end":
        this.#outgoing?.close();
        this.#outgoing = null;
        this.#close(null);
        break;
      case "failed":
        this.fail(message.thrown);
        break;
    }
  }

  /** Ends the call, whose code may go on unheard. */
  fail(thrown: ThrownJson): void {
    this.#finish({ kind: "failed", thrown });
    this.#outgoing?.error(new Error(thrown.message));
    this.#outgoing = null;
    this.#close(thrown);
  }

  /** Nothing of the call has run, and nothing will. */
  withdraw(): void {
    this.#finish({ kind: "withdrawn" });
    this.#close(null);
  }

  #begin({ status, headers, hasBody }: Extract<FromWorker, { type: "head" }>): void {
    const body = hasBody ? this.#responseBody() : null;
    this.#finish({ kind: "response", status, headers, body });
    if (!hasBody) this.#close(null);
  }

  #responseBody(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#outgoing = controller;
        },
        pull: () => this.#post({ type: "pull" }),
        cancel: () => {
          this.#outgoing = null;
          this.#post({ type: "forget" });
        },
      },
      { highWaterMark: CHUNKS_AHEAD },
    );
  }

  #reader(): ReadableStreamDefaultReader<Uint8Array> | null {
    this.#incoming ??= this.#caller.body?.getReader() ?? null;
    return this.#incoming;
  }

  async #sendChunk(): Promise<void> {
    try {
      const next = await this.#reader()?.read();
      if (next === undefined || next.done) this.#post({ type: "bodyEnd" });
      else this.#post({ type: "bodyChunk", bytes: next.value });
    } catch (error) {
      this.#post({ type: "bodyFailed", reason: error instanceof Error ? error.message : String(error) });
    }
  }
}
