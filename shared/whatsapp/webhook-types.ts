import type { WebhookEvent } from "./webhook-events-types";

/**
 * What a webhook says, item by item, after the tolerant reader has gone over it. Every field that Meta may leave out
 * is optional: since 2026 even the phone number of a customer may be absent. Texts are clean (no NUL, no lone
 * surrogate); times are milliseconds; ids are strings. `raw` is JSON text, because not every store can hold
 * arbitrary objects.
 */
export type WebhookItem =
  | MessageItem
  | EchoItem
  | HistoryItem
  | StandbyItem
  | StatusItem
  | EventItem
  | ErrorItem
  | OtherItem;

export interface WebhookReading {
  readonly items: readonly WebhookItem[];
  /** Items beyond the limit, which were counted but not read; 0 in any delivery of Meta's. */
  readonly omitted: number;
}

/** Where in the delivery an item stood and which number it concerns. */
export interface ItemOrigin {
  /** For people: `entry[0].changes[1].value.messages[2]`. */
  readonly path: string;
  /** Meta's name of the subscription field, such as `messages`; empty when it was missing. */
  readonly field: string;
  readonly wabaId?: string;
  /** When Meta says that it happened; only entries about templates, numbers and accounts tell it. */
  readonly entryAtMs?: number;
  readonly phoneNumberId?: string;
  readonly displayPhoneNumber?: string;
}

/** A person on WhatsApp, by whatever Meta disclosed. */
export interface Party {
  /** Digits of the WhatsApp id, without plus. */
  readonly waId?: string;
  /** Business-scoped user id, such as `US.13491208655302741918`. */
  readonly userId?: string;
  readonly parentUserId?: string;
  readonly name?: string;
  readonly username?: string;
}

interface MessageBase extends ItemOrigin {
  readonly wamid?: string;
  /** The other side: who wrote to the business, or to whom the business wrote. */
  readonly customer: Party;
  readonly groupId?: string;
  readonly timestampMs?: number;
  readonly content: MessageContent;
  readonly context?: MessageContext;
  /** The advertisement that the customer came from. */
  readonly referral?: Referral;
  readonly errors: readonly WebhookError[];
}

/** A customer wrote to the business. */
export interface MessageItem extends MessageBase {
  readonly kind: "message";
}

/** The business wrote from its own phone beside the API. It opens no window. */
export interface EchoItem extends MessageBase {
  readonly kind: "echo";
}

/**
 * A message from before the number was connected, handed over once. It opens no window and raises no event, whoever
 * wrote it; chunks arrive in any order, for months.
 */
export interface HistoryItem extends MessageBase {
  readonly kind: "history";
  /** Whether the business wrote it; absent where neither side is named. */
  readonly fromBusiness?: boolean;
  /** Meta's word: `READ`, `DELIVERED`, `SENT`, `PENDING`, `PLAYED`, `ERROR`. */
  readonly status?: string;
  /** 0 the last day, 1 up to 90 days, 2 up to 180 days. */
  readonly phase?: number;
  readonly chunkOrder?: number;
  readonly progressPercent?: number;
}

/** A copy for reading only: another app owns the conversation at the moment. */
export interface StandbyItem extends ItemOrigin {
  readonly kind: "standby";
  readonly of: "message" | "echo" | "status";
  readonly wamid?: string;
  readonly customer: Party;
  readonly raw: string;
}

/**
 * Something happened to a template, a number, an account, a customer's wishes, a call or a group. What is not read
 * stands in the stored body, at `path`.
 */
export interface EventItem extends ItemOrigin {
  readonly kind: "event";
  readonly event: WebhookEvent;
}

export interface MessageContext {
  /** The message that is quoted. */
  readonly wamid?: string;
  readonly from?: string;
  readonly forwarded: boolean;
  /** The product of a catalogue that the customer asks about. */
  readonly product?: { readonly catalogId?: string; readonly retailerId?: string };
}

export interface StatusItem extends ItemOrigin {
  readonly kind: "status";
  readonly wamid?: string;
  /** Meta's word, known or not. */
  readonly status: string;
  readonly timestampMs?: number;
  readonly recipient: Party;
  /** In a group: the member whom this status is about. */
  readonly participant?: Party;
  readonly callbackData?: string;
  readonly pricing?: { billable?: boolean; model?: string; type?: string; category?: string };
  readonly conversation?: { id?: string; expiresAtMs?: number; origin?: string };
  readonly errors: readonly WebhookError[];
}

/** An error about the number or the app as a whole, not about one message. */
export interface ErrorItem extends ItemOrigin {
  readonly kind: "error";
  readonly error: WebhookError;
}

/** Anything that is not read further: kept as it came. */
export interface OtherItem extends ItemOrigin {
  readonly kind: "other";
  readonly reason: OtherReason;
  /** JSON text, or empty when it was too deep or too long to keep beside the stored raw body. */
  readonly raw: string;
}

export type OtherReason =
  /** A field that this version does not read, such as account or template updates. */
  | "field"
  /** A part that is not of the documented kind, such as a message that is a number. */
  | "shape"
  /** Nested deeper than any of Meta's payloads. */
  | "depth"
  /** The body is not JSON, or not an object. */
  | "body";

export interface WebhookError {
  readonly code?: number;
  readonly title?: string;
  readonly message?: string;
  readonly details?: string;
  readonly href?: string;
}

export const MEDIA_TYPES = ["image", "video", "audio", "voice", "sticker", "document"] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];

export interface MediaContent {
  readonly type: MediaType;
  readonly mediaId?: string;
  readonly mimeType?: string;
  /** As Meta wrote it: base64 in webhooks, hex from the API. */
  readonly sha256?: string;
  readonly filename?: string;
  readonly caption?: string;
  readonly url?: string;
  readonly animated?: boolean;
}

export interface SharedContact {
  readonly name?: string;
  readonly phones: readonly string[];
  readonly company?: string;
  /** Absent when the card has none. */
  readonly emails?: readonly string[];
}

/** One line of an order. Meta writes numbers as numbers or as words. */
export interface OrderItem {
  readonly productId?: string;
  readonly quantity?: number;
  readonly price?: number;
  readonly currency?: string;
}

/** The advertisement or post that a customer came from (Meta: "Click to WhatsApp ads"). */
export interface Referral {
  readonly sourceUrl?: string;
  readonly sourceId?: string;
  /** Meta's word: `ad`, `post`. */
  readonly sourceType?: string;
  readonly headline?: string;
  readonly body?: string;
  readonly mediaType?: string;
  readonly clickId?: string;
}

export type MessageContent =
  | { readonly type: "text"; readonly text: string }
  | MediaContent
  | {
      readonly type: "reaction";
      readonly targetWamid?: string /** null takes the reaction back */;
      readonly emoji: string | null;
    }
  | {
      readonly type: "location";
      readonly latitude?: number;
      readonly longitude?: number;
      readonly name?: string;
      readonly address?: string;
      readonly url?: string;
    }
  | { readonly type: "contacts"; readonly contacts: readonly SharedContact[]; readonly raw: string }
  | { readonly type: "button"; readonly text?: string; readonly payload?: string }
  | {
      readonly type: "interactive";
      /** Meta's word: `button_reply`, `list_reply`, `nfm_reply`, ... */
      readonly reply: string;
      readonly id?: string;
      readonly title?: string;
      readonly description?: string;
      /** What was filled into a flow or an address form, as JSON text; may be ill-formed. */
      readonly response?: string;
      readonly raw: string;
    }
  | {
      readonly type: "order";
      readonly text?: string;
      readonly catalogId?: string;
      readonly itemCount: number;
      readonly items: readonly OrderItem[];
      readonly raw: string;
    }
  | {
      readonly type: "system";
      /** Meta's word: `user_changed_number`, `user_changed_user_id`, ... */
      readonly event?: string;
      readonly body?: string;
      readonly newWaId?: string;
      readonly newUserId?: string;
      readonly newParentUserId?: string;
      readonly previousUserId?: string;
      readonly raw: string;
    }
  | { readonly type: "edit"; readonly originalWamid?: string; readonly content: MessageContent }
  | { readonly type: "revoke"; readonly originalWamid?: string }
  /** Meta itself does not hand the content over; `label` says what it was (`poll`, `live_location`, ...). */
  | { readonly type: "unsupported"; readonly label?: string; readonly raw: string }
  /** A type that this version does not know, or a known one without its content. */
  | { readonly type: "other"; readonly label: string; readonly raw: string };
