/**
 * Everything that this deployment tells others about, one name per kind of fact. Downstream services, MCP clients and
 * the dashboard read the same stream. The list is closed: a name that is not here is never sent, and a name that has
 * once been sent keeps its meaning.
 */
export const EVENT_TYPES = [
  /** A customer wrote. */
  "message.inbound.received",
  /** A customer changed or took back what they wrote. */
  "message.inbound.edited",
  "message.inbound.revoked",
  /** WhatsApp took a message of the business, from here or from the business's own phone. */
  "message.outbound.sent",
  /** A message of the business was refused for good. */
  "message.outbound.failed",
  /** The business changed or took back what it wrote, on its own phone. */
  "message.outbound.edited",
  "message.outbound.revoked",
  /** WhatsApp reported sent, delivered, read, played or failed. */
  "message.status.updated",
  /** One side's reaction to a message is another one now, or gone. */
  "message.reaction.changed",
  /** The file of a message is stored and can be fetched. */
  "message.media.ready",
  /** The file of a message could not be fetched. */
  "message.media.failed",
  "conversation.updated",
  "contact.updated",
  /** Two contacts may be one person; somebody has to decide. */
  "contact.duplicate.suggested",
  /** A customer wants messages of a kind, or no longer. */
  "consent.changed",
  "call.updated",
  "template.updated",
  "account.updated",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Who told us about the fact: Meta's webhook, the answer to a send of ours, or the product itself. */
export type EventSource = "meta_webhook" | "pons_send" | "pons";

const SOURCES = {
  "message.inbound.received": "meta_webhook",
  "message.inbound.edited": "meta_webhook",
  "message.inbound.revoked": "meta_webhook",
  "message.outbound.sent": "pons_send",
  "message.outbound.failed": "pons_send",
  "message.outbound.edited": "meta_webhook",
  "message.outbound.revoked": "meta_webhook",
  "message.status.updated": "meta_webhook",
  "message.reaction.changed": "meta_webhook",
  "message.media.ready": "pons",
  "message.media.failed": "pons",
  "conversation.updated": "pons",
  "contact.updated": "meta_webhook",
  "contact.duplicate.suggested": "pons",
  "consent.changed": "meta_webhook",
  "call.updated": "meta_webhook",
  "template.updated": "meta_webhook",
  "account.updated": "meta_webhook",
} as const satisfies Record<EventType, EventSource>;

/** The usual source of a kind of fact. */
export function usualSource(type: EventType): EventSource {
  return SOURCES[type];
}

/** What JSON can hold. A field that may be missing is left out when the text is written. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };
export type EventPayload = { readonly [key: string]: Json | undefined };

/** Version of the envelope and of the payloads; raised only when a reader of the older one would be misled. */
export const EVENT_VERSION = 1;

/** One event as everybody outside gets it. Times are milliseconds. */
export interface EventEnvelope {
  /** Names the fact: the same fact has the same id, also after a restore. Contains no dot. */
  readonly id: string;
  readonly type: EventType;
  readonly source: EventSource;
  /** When it happened, by the clock of the one who told us. */
  readonly occurredAt: number;
  readonly accountId: string;
  readonly payload: EventPayload;
  readonly version: typeof EVENT_VERSION;
  /** 1, 2, 3 ... within the account, without gaps. */
  readonly seq: number;
  /** 1, 2, 3 ... within the conversation; null for what concerns none. */
  readonly conversationSeq: number | null;
}

/**
 * Largest envelope, in UTF-8 bytes: the largest body that is forwarded to a target. The longest message that WhatsApp
 * hands over (65,536 characters) fits.
 */
export const EVENT_BYTES_MAX = 256 * 1024;

/** Longest text that stays in the payload of an envelope that would be too large. */
const KEPT_CHARACTERS_MAX = 1_000;

/**
 * The envelope as the text that is stored, signed and sent, always the same bytes. A payload that would make it too
 * large keeps its short values and says so with `payloadCut`; the rest can be read by the ids in it.
 */
export function eventText(envelope: EventEnvelope): string {
  const text = JSON.stringify(envelope);
  if (byteLength(text) <= EVENT_BYTES_MAX) return text;
  return JSON.stringify({ ...envelope, payload: { ...cutPayload(envelope.payload), payloadCut: true } });
}

/** Two levels are enough: payloads are objects of flat objects. */
function cutPayload(payload: EventPayload): EventPayload {
  const inner = Object.entries(payload).map(
    ([key, value]) => [key, isObject(value) ? shortValues(value) : value] as const,
  );
  return shortValues(Object.fromEntries(inner));
}

function shortValues(object: EventPayload): EventPayload {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => isShort(value)));
}

function isObject(value: Json | undefined): value is EventPayload {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isShort(value: Json | undefined): boolean {
  return value !== undefined && JSON.stringify(value).length <= KEPT_CHARACTERS_MAX;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
