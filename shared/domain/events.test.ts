import { describe, expect, it } from "vitest";
import { EVENT_BYTES_MAX, EVENT_TYPES, type EventEnvelope, eventText, usualSource } from "./events";

const envelope = (payload: EventEnvelope["payload"]): EventEnvelope => ({
  id: "evt_1",
  type: "message.inbound.received",
  source: "meta_webhook",
  occurredAt: 1_763_712_000_000,
  accountId: "a",
  payload,
  version: 1,
  seq: 7,
  conversationSeq: null,
});

describe("the text of an event", () => {
  it("has the keys of the public contract in their order", () => {
    expect(Object.keys(JSON.parse(eventText(envelope({ message: { id: "m" } }))))).toEqual([
      "id",
      "type",
      "source",
      "occurredAt",
      "accountId",
      "payload",
      "version",
      "seq",
      "conversationSeq",
    ]);
  });

  it("holds the longest message of WhatsApp whole", () => {
    const text = "ह".repeat(65_536);
    expect(JSON.parse(eventText(envelope({ message: { text } }))).payload.message.text).toBe(text);
  });

  it("stays below its limit and keeps what is short, whatever the payload", () => {
    const text = eventText(
      envelope({ message: { id: "m", text: "ह".repeat(EVENT_BYTES_MAX) }, note: "short" }),
    );
    expect(new TextEncoder().encode(text).byteLength).toBeLessThan(EVENT_BYTES_MAX);
    expect(JSON.parse(text).payload).toEqual({ message: { id: "m" }, note: "short", payloadCut: true });
  });
});

it("every type has a usual source, and no name is a prefix of another", () => {
  for (const type of EVENT_TYPES) {
    expect(usualSource(type)).toMatch(/^(meta_webhook|pons_send|pons)$/);
    expect(EVENT_TYPES.filter((other) => other.startsWith(`${type}.`))).toEqual([]);
  }
});
