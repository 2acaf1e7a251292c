import { HTTP_BODY_BYTES_MAX, HTTP_SHORT_BODY_BYTES_MAX } from "./limits";

/** Methods whose requests have no body for a function (engine brief D.8). */
const BODILESS = new Set(["GET", "HEAD", "OPTIONS"]);

/** What an HTTP action gets of its request's body. */
export type ActionBody = {
  /** Whole where it is short and has said so, so that nothing has to wait for it later. */
  whole: Uint8Array | null;
  /** Otherwise it streams, and fails beyond the limit. */
  stream: ReadableStream<Uint8Array> | null;
  /** Whether that has happened. */
  isTooLarge(): boolean;
  /** Lets go of what nobody has read. */
  drop(): void;
};

const TOO_LARGE = `The request body is larger than ${HTTP_BODY_BYTES_MAX} bytes.`;

export const tooLargeResponse = (): Response => new Response(TOO_LARGE, { status: 413 });

/** Takes over the body of a request. Rejects when a short one breaks off. */
export async function takeBody(request: Request): Promise<ActionBody> {
  if (request.body === null || BODILESS.has(request.method)) {
    return { whole: null, stream: null, isTooLarge: () => false, drop: () => undefined };
  }
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  if (length <= HTTP_SHORT_BODY_BYTES_MAX) {
    const whole = new Uint8Array(await request.arrayBuffer());
    return { whole, stream: null, isTooLarge: () => false, drop: () => undefined };
  }
  return limited(request.body);
}

function limited(body: ReadableStream<Uint8Array>): ActionBody {
  const reader = body.getReader();
  let size = 0;
  // Where the caller has gone, the reader fails as well, and with it the function that reads; here nobody is left.
  const drop = () => void reader.cancel().catch(() => undefined);
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const { done, value } = await reader.read();
    if (done) {
      controller.close();
      return;
    }
    size += value.length;
    if (size > HTTP_BODY_BYTES_MAX) {
      drop();
      throw new TypeError(TOO_LARGE);
    }
    controller.enqueue(value);
  };
  return {
    whole: null,
    stream: new ReadableStream({ pull, cancel: drop }, { highWaterMark: 0 }),
    isTooLarge: () => size > HTTP_BODY_BYTES_MAX,
    drop,
  };
}
