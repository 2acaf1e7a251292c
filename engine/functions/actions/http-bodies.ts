import type { FromWorker, HttpToWorker } from "./protocol";

/** One HTTP action that runs in this worker. */
type Exchange = {
  readonly aborter: AbortController;
  /** Where the chunk of the request goes that was asked for. */
  receive: ((message: Extract<HttpToWorker, { type: `body${string}` }>) => void) | null;
  response: ReadableStreamDefaultReader<Uint8Array> | null;
  /** Chunks of the response that the engine has room for, and what waits for there to be one. */
  wanted: number;
  wake: (() => void) | null;
  forgotten: boolean;
};

/**
 * The worker's side of the bodies of HTTP actions; see `HttpCall` for the engine's. `enter` runs something as part of
 * a call, so that what a stream does there belongs to it.
 */
export class HttpBodies {
  readonly #exchanges = new Map<number, Exchange>();
  readonly #send: (message: FromWorker) => void;
  readonly #enter: (call: number, run: () => void) => void;

  constructor(send: (message: FromWorker) => void, enter: (call: number, run: () => void) => void) {
    this.#send = send;
    this.#enter = enter;
  }

  /** Must be called before anything else of the call; the answer aborts when the caller has gone. */
  open(call: number): AbortSignal {
    const aborter = new AbortController();
    this.#exchanges.set(call, {
      aborter,
      receive: null,
      response: null,
      wanted: 0,
      wake: null,
      forgotten: false,
    });
    return aborter.signal;
  }

  close(call: number): void {
    this.#exchanges.delete(call);
  }

  /** The body of the request as far as it did not come with the head. */
  requestBody(call: number): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) =>
          new Promise<void>((resolve) => {
            const exchange = this.#exchanges.get(call);
            if (exchange === undefined) {
              controller.error(
                new TypeError("The body of a request cannot be read after its action has ended."),
              );
              resolve();
              return;
            }
            exchange.receive = (message) => {
              exchange.receive = null;
              if (message.type === "bodyChunk") controller.enqueue(message.bytes);
              else if (message.type === "bodyEnd") controller.close();
              else controller.error(new TypeError(message.reason));
              resolve();
            };
            this.#send({ type: "pullBody", call });
          }),
        cancel: () => this.#send({ type: "dropBody", call }),
      },
      { highWaterMark: 0 },
    );
  }

  /** Sends a response, its body no faster than the caller takes it. Rejects with what the body throws. */
  async respond(call: number, response: Response): Promise<void> {
    const exchange = this.#exchanges.get(call);
    if (exchange === undefined) return;
    // Iterating headers keeps several Set-Cookie apart, as they must stay.
    const headers = [...response.headers];
    this.#send({ type: "head", call, status: response.status, headers, hasBody: response.body !== null });
    if (response.body === null) return;
    const reader = response.body.getReader();
    exchange.response = reader;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!(value instanceof Uint8Array)) throw new Error("The body of a Response must consist of bytes.");
      // Waiting with the chunk in hand lets a short body come to its end before anybody reads it.
      if (!(await this.#hasRoom(exchange))) break;
      this.#send({ type: "chunk", call, bytes: value });
    }
    this.#send({ type: "end", call });
  }

  receive(call: number, message: HttpToWorker): void {
    const exchange = this.#exchanges.get(call);
    if (exchange === undefined) return;
    switch (message.type) {
      case "pull":
        exchange.wanted++;
        exchange.wake?.();
        break;
      case "abort":
        this.#enter(call, () => exchange.aborter.abort());
        break;
      case "forget":
        exchange.forgotten = true;
        // A stream whose source fails to stop has failed anyway: nobody reads it any more.
        this.#enter(call, () => void exchange.response?.cancel().catch(() => undefined));
        exchange.wake?.();
        break;
      default:
        this.#enter(call, () => exchange.receive?.(message));
    }
  }

  /** Waits until the engine wants a chunk; false when it wants none any more. */
  async #hasRoom(exchange: Exchange): Promise<boolean> {
    if (exchange.wanted === 0 && !exchange.forgotten) {
      await new Promise<void>((resolve) => {
        exchange.wake = resolve;
      });
      exchange.wake = null;
    }
    exchange.wanted--;
    return !exchange.forgotten;
  }
}
