import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { openStreams, type StreamOrder } from "./mcp-streams";
import { median, percentile, rounded } from "./measure";
import { openLoop } from "./open-loop";
import type { Delivery } from "./webhook-bodies";
import { openWebhookLoad, requestBytes } from "./webhook-load";

/** Connections of the sender; more than are ever busy at once unless the server stands still. */
const SENDER_CONNECTIONS = 32;

/** A notice that has not come by then counts as lost. */
const LOST_AFTER_MS = 10_000;

export type PushOrder = {
  mcpUrl: string;
  webhookUrl: string;
  streams: readonly StreamOrder[];
  /** The messages in their order, each with the resource that it changes. */
  messages: readonly { delivery: Delivery; uri: string }[];
  perSecond: number;
};

/**
 * How long it takes from the first byte of a webhook being written to the notice of it in each open stream (ms). Every
 * stream is subscribed to every resource, so each message is one notice in each stream.
 */
export async function measurePush({ mcpUrl, webhookUrl, streams, messages, perSecond }: PushOrder) {
  const sentAtMs = new Map<string, number>();
  const waiting = new Map<string, Set<number>>();
  const latencies: number[][] = streams.map(() => []);
  const open = await openStreams(mcpUrl, streams, (stream, uri, atMs) => {
    // What is not waited for is a further event of the same message.
    if (waiting.get(uri)?.delete(stream) !== true) return;
    latencies[stream]?.push(atMs - (sentAtMs.get(uri) ?? Number.NaN));
  });
  const load = await openWebhookLoad(webhookUrl, SENDER_CONNECTIONS);
  let lost = 0;
  try {
    await openLoop(messages.length, perSecond, async (n) => {
      const message = messages[n];
      if (message === undefined) return;
      // The same resource again: whoever has not heard of it since then never will.
      lost += waiting.get(message.uri)?.size ?? 0;
      waiting.set(message.uri, new Set(streams.keys()));
      sentAtMs.set(message.uri, performance.now());
      await load.post(requestBytes(webhookUrl, message.delivery));
    });
    const stillWaiting = () => [...waiting.values()].reduce((sum, { size }) => sum + size, 0);
    const endMs = performance.now() + LOST_AFTER_MS;
    while (stillWaiting() > 0 && performance.now() < endMs) await setTimeout(10);
    lost += stillWaiting();
  } finally {
    open.close();
    load.close();
  }
  const of = (era: string) => latencies.filter((_, stream) => streams[stream]?.era === era).flat();
  const all = latencies.flat();
  return {
    pushP50Ms: rounded(median(all)),
    pushP99Ms: rounded(percentile(all, 0.99)),
    pushMaxMs: rounded(all.reduce((a, b) => Math.max(a, b), 0)),
    listenP99Ms: rounded(percentile(of("2026-07-28"), 0.99)),
    sessionP99Ms: rounded(percentile(of("2025-11-25"), 0.99)),
    noticesHeard: all.length,
    noticesLost: lost,
  };
}
