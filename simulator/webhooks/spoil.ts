import { asObject, getArray } from "#shared/whatsapp/json";
import type { FaultEffect } from "../fault-effects";
import type { WebhookEvent } from "./payloads";

type Plain = Readonly<Record<string, unknown>>;

/** What the faults that change the content of a webhook make of it. Other faults leave it as it is. */
export function spoilEvent(event: WebhookEvent, effects: readonly FaultEffect[]): WebhookEvent {
  return effects.reduce(spoil, event);
}

/** JSON that ends in the middle, as a broken proxy would cut it. */
export function cutOff(body: Buffer): Buffer {
  return body.subarray(0, Math.ceil(body.length / 2));
}

function spoil(event: WebhookEvent, effect: FaultEffect): WebhookEvent {
  const value: Plain = event.value;
  switch (effect.kind) {
    case "unknown_field":
      return { ...event, wireField: "quantum_update", value: { ...value, qubits: [0, 1] } };
    case "unknown_type":
      return withItems(event, "messages", (item) => {
        const { [String(item["type"])]: content, ...rest } = item;
        return { ...rest, type: "hologram", hologram: content };
      });
    case "unknown_status":
      return withItems(event, "statuses", (item) => ({ ...item, status: "teleported" }));
    case "missing":
      return { ...event, value: without(value, effect.part) };
    case "integer_timestamps":
      return { ...event, value: deep(value, integerTimestamp) };
    case "nul":
      return { ...event, value: deep(value, spoiledText("\u0000")) };
    case "lone_surrogate":
      return { ...event, value: deep(value, spoiledText("\ud83d")) };
    case "huge":
      return { ...event, value: { ...value, padding: "x".repeat(effect.bytes) } };
    default:
      return event;
  }
}

const LISTS = ["messages", "statuses", "message_echoes"] as const;

/** Takes a part away wherever webhooks have it: on the value, on its items, or on its contacts. */
function without(value: Plain, part: string): Plain {
  if (part === "contacts" || part === "metadata") return omit(value, part);
  const lists = part === "profile" ? (["contacts"] as const) : LISTS;
  return lists.reduce<Plain>((result, list) => mapItems(result, list, (item) => omit(item, part)), value);
}

function omit(object: Plain, key: string): Plain {
  const { [key]: _, ...rest } = object;
  return rest;
}

function withItems(event: WebhookEvent, list: string, change: (item: Plain) => Plain): WebhookEvent {
  return { ...event, value: mapItems(event.value, list, change) };
}

function mapItems(value: Plain, list: string, change: (item: Plain) => Plain): Plain {
  const items = getArray(asObject(value), list);
  return items === undefined
    ? value
    : { ...value, [list]: items.map((item) => change({ ...asObject(item) })) };
}

type Leaf = (key: string, text: string) => unknown;

/** A copy whose strings are changed, each seen with its key. */
function deep(object: Plain, leaf: Leaf): Plain {
  const change = (key: string, inner: unknown): unknown => {
    if (typeof inner === "string") return leaf(key, inner);
    if (Array.isArray(inner)) return inner.map((item) => change(key, item));
    return typeof inner === "object" && inner !== null ? deep({ ...inner }, leaf) : inner;
  };
  return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, change(key, inner)]));
}

const integerTimestamp: Leaf = (key, text) =>
  key.endsWith("timestamp") && /^\d+$/.test(text) ? Number(text) : text;

/** Texts that people write: bodies, captions and names. */
function spoiledText(unit: string): Leaf {
  return (key, text) => (["body", "caption", "name", "title"].includes(key) ? `${text}${unit}` : text);
}
