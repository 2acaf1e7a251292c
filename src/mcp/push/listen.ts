import { type AuthInfo, createMcpHandler, InMemoryServerEventBus } from "@modelcontextprotocol/server";
import * as z from "zod";
import { api } from "../../../convex/_generated/api";
import type { Caller } from "../../server/caller";
import { queryAs } from "../../server/convex";
import type { Exchange } from "../exchange";
import { parseUri, type ResourceUri, refOf } from "../resources/uris";
import { buildServer } from "../server";
import { openStream, type PushStream } from "./streams";
import type { Place } from "./watch";

/** Resources of one stream, as the backend counts them; further ones are left out of what is acknowledged. */
const SUBSCRIPTIONS_MAX = 100;

const listenRequest = z.looseObject({
  params: z.looseObject({ notifications: z.looseObject({ resourceSubscriptions: z.array(z.string()) }) }),
});

type Located = { uri: string; target: ResourceUri; places: Place[] };

/**
 * Answers `subscriptions/listen` of 2026-07-28: a stream that first says which of the wished resources it will tell
 * about, which are those that the caller may read, and then tells about each change. The SDK speaks the protocol; it
 * gets a bus of its own for each stream, because on a shared one it would tell everybody about equal URIs.
 */
export async function answerListen(
  request: Request,
  exchange: Exchange,
  message: unknown,
): Promise<Response> {
  const { rights, located, narrowed } = await allowedSubscriptions(exchange.caller, message);
  const bus = new InMemoryServerEventBus();
  const handler = createMcpHandler(() => buildServer(exchange), {
    legacy: "reject",
    bus,
    maxSubscriptions: 1,
  });
  const response = await handler.fetch(request, {
    authInfo: carrierOf(exchange.caller),
    parsedBody: narrowed,
  });
  const body = response.body;
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  if (!isStream || body === null || located.length === 0) return response;

  const reader = body.getReader();
  const stream = openStream({
    caller: exchange.caller,
    rights,
    write: (uri) => bus.publish({ kind: "resource_updated", uri }),
    // With its final result the SDK says that there is nothing to come back for; without it, clients listen again.
    close: (final) => void (final ? handler.close() : reader.cancel()),
  });
  for (const { uri, target, places } of located) stream.subscribe(uri, target, places);
  return new Response(paced(request, reader, stream), { status: response.status, headers: response.headers });
}

/** What the SDK has written, chunk by chunk as the client takes it. */
function paced(
  request: Request,
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  stream: PushStream,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const leave = () => {
    // Asked for here, the request lives as long as the stream; a signal whose request is gone tells of nothing.
    request.signal.removeEventListener("abort", leave);
    stream.stop();
  };
  request.signal.addEventListener("abort", leave);
  return new ReadableStream(
    {
      pull: async (controller) => {
        stream.asked();
        const { done, value } = await reader.read();
        stream.busy();
        if (!done) return controller.enqueue(value);
        leave();
        controller.close();
      },
      cancel: async (reason) => {
        leave();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * What of a `subscriptions/listen` request may be: the resources that the caller may read, and the message with those
 * in place of the ones that were wished.
 */
export async function allowedSubscriptions(caller: Caller, message: unknown) {
  const parsed = listenRequest.safeParse(message);
  if (!parsed.success) return { rights: null, located: [], narrowed: message };
  const { params } = parsed.data;
  const wished = [...new Set(params.notifications.resourceSubscriptions)];
  const { rights, located } = await locate(caller, wished);
  const notifications = { ...params.notifications, resourceSubscriptions: located.map(({ uri }) => uri) };
  return { rights, located, narrowed: { ...parsed.data, params: { ...params, notifications } } };
}

/** The wished resources that the caller may read, with their places in the events, and the rights of this moment. */
export async function locate(
  caller: Caller,
  uris: readonly string[],
): Promise<{ rights: string; located: Located[] }> {
  const known = uris.flatMap((uri) => {
    const target = parseUri(uri);
    return target === null ? [] : [{ uri, target }];
  });
  const asked = known.slice(0, SUBSCRIPTIONS_MAX);
  const { rights, places } = await queryAs(caller.identity, api.mcpPush.locate, {
    resources: asked.map(({ target }) => refOf(target)),
  });
  const located = asked.flatMap(({ uri, target }, at) => {
    const found = places[at];
    return found === undefined || found === null ? [] : [{ uri, target, places: found }];
  });
  return { rights, located };
}

const carrierOf = ({ principal, scopes }: Caller): AuthInfo => ({
  token: principal,
  clientId: principal,
  scopes: [...scopes],
});
