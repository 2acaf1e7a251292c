import { SECOND_MS } from "#shared/time";
import type { Caller } from "../../server/caller";
import { parseUri } from "../resources/uris";
import type { Session } from "../sessions";
import { locate } from "./listen";
import { openStream } from "./streams";
import type { SessionState } from "./watch";

/** Shorter than the minute after which common proxies close a silent connection. */
const HEARTBEAT_MS = 15 * SECOND_MS;

const encoder = new TextEncoder();

/**
 * The stream that a client of 2025 gets for its session: told about whatever the session subscribes to, in whichever
 * process it does so. What it was subscribed to already is told about once at the start, because nobody knows what
 * the client missed since its last stream.
 */
export function answerSessionStream(request: Request, caller: Caller, session: Session): Response {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const send = (frame: string) => controller?.enqueue(encoder.encode(frame));
  const finish = () => {
    clearInterval(heartbeat);
    controller?.close();
    controller = undefined;
  };
  const stream = openStream({
    caller,
    rights: null,
    write: (uri) => send(frameOf({ method: "notifications/resources/updated", params: { uri } })),
    close: finish,
  });
  const heartbeat = setInterval(() => {
    if (!stream.isReady()) return;
    stream.busy();
    send(": keepalive\n\n");
  }, HEARTBEAT_MS);
  heartbeat.unref();
  const leave = () => {
    // Asked for here, the request lives as long as the stream; a signal whose request is gone tells of nothing.
    request.signal.removeEventListener("abort", leave);
    stream.stop();
    finish();
  };

  const told = new Set<string>();
  let isFirst = true;
  const take = async ({ ended, subscriptions }: SessionState) => {
    if (ended) return leave();
    const wished = new Set(subscriptions.map(({ uri }) => uri));
    for (const uri of told) if (!wished.has(uri)) stream.unsubscribe(uri);
    const added = subscriptions.filter(({ uri }) => !told.has(uri));
    told.clear();
    for (const uri of wished) told.add(uri);
    if (isFirst) {
      isFirst = false;
      const { located } = await locate(caller, [...wished]);
      for (const { uri, target, places } of located) {
        stream.subscribe(uri, target, places);
        stream.mark(uri);
      }
      return;
    }
    for (const { uri, accounts } of added) {
      const target = parseUri(uri);
      if (target !== null) stream.subscribe(uri, target, accounts);
    }
  };
  // One state after the other, in the order in which the backend told them.
  let taking = Promise.resolve();
  stream.followSession(session.id, (state) => {
    taking = taking.then(() => take(state)).catch(leave);
  });

  request.signal.addEventListener("abort", leave, { once: true });
  const body = new ReadableStream<Uint8Array>(
    {
      start: (opened) => {
        controller = opened;
        // Makes proxies and clients see the headers at once.
        send(": open\n\n");
      },
      pull: () => stream.asked(),
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

const frameOf = (notification: { method: string; params: object }): string =>
  `event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", ...notification })}\n\n`;
