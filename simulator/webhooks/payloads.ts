import { metaTimestamp } from "#shared/time";
import type { BusinessNumber, Customer, SentStatus, StoredMessage } from "../world";
import { followsOverrides } from "./fields";

/** One change of a webhook, with what faults and the log need to know about it. */
export interface WebhookEvent {
  readonly wabaId: string;
  /** The business number concerned; absent for what concerns the whole account. */
  readonly numberId?: string;
  readonly field: string;
  /** The name to write instead of the field's own; the webhook still goes where the field goes. */
  readonly wireField?: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** Digits of the customer concerned. */
  readonly peer: string;
  /** Type of the message, or the status. */
  readonly type: string;
}

/** The body of one POST: changes of the same account together, as Meta batches them. `at` is when it is sent (ms). */
export function envelope(events: readonly WebhookEvent[], at: number): object {
  const entries = new Map<string, { id: string; time?: number; changes: object[] }>();
  for (const { wabaId, field, wireField, value } of events) {
    // Meta tells the time of what happens to the account, and leaves it out where the items have their own.
    const hasTime = !followsOverrides(field);
    const key = `${wabaId} ${hasTime}`;
    const entry = entries.get(key) ?? {
      id: wabaId,
      ...(hasTime && { time: Math.floor(at / 1000) }),
      changes: [],
    };
    entry.changes.push({ value, field: wireField ?? field });
    entries.set(key, entry);
  }
  return { object: "whatsapp_business_account", entry: [...entries.values()] };
}

/**
 * JSON as Meta writes it: every character outside ASCII is escaped, so that the signed bytes are plain ASCII; slashes
 * may be escaped too.
 */
export function asciiJson(value: unknown, escapeSlashes = false): string {
  const ascii = JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return escapeSlashes ? ascii.replaceAll("/", "\\/") : ascii;
}

/** A message from a customer. A hidden phone number is left out wherever Meta leaves it out. */
export function messageEvent(
  number: BusinessNumber,
  customer: Customer,
  message: Readonly<Record<string, unknown>> & { readonly type: string },
): WebhookEvent {
  return {
    wabaId: number.wabaId,
    numberId: number.id,
    field: "messages",
    peer: customer.phone.slice(1),
    type: message.type,
    value: {
      ...valueHead(number),
      contacts: [contactOf(customer)],
      messages: [
        { ...(!customer.phoneHidden && { from: customer.waId }), from_user_id: customer.userId, ...message },
      ],
    },
  };
}

/** A notice from WhatsApp about a customer as the business knows it so far: without contacts, as Meta sends it. */
export function systemEvent(
  number: BusinessNumber,
  customer: Customer,
  message: Readonly<Record<string, unknown>> & { readonly type: string },
): WebhookEvent {
  const event = messageEvent(number, customer, message);
  const { contacts: _, ...value } = event.value;
  return { ...event, value };
}

export interface StatusError {
  readonly code: number;
  readonly title: string;
  readonly details?: string;
}

/** A status of a message of the business. `customer` is missing when nobody on WhatsApp has the number. */
export function statusEvent(
  number: BusinessNumber,
  customer: Customer | undefined,
  message: StoredMessage,
  status: SentStatus,
  at: number,
  error?: StatusError,
): WebhookEvent {
  const withContact = customer !== undefined && status !== "failed";
  return {
    wabaId: number.wabaId,
    numberId: number.id,
    field: "messages",
    peer: message.peer,
    type: status,
    value: {
      ...valueHead(number),
      ...(withContact && { contacts: [contactOf(customer, status !== "sent")] }),
      statuses: [
        {
          id: message.id,
          status,
          timestamp: metaTimestamp(at),
          ...(!customer?.phoneHidden && { recipient_id: customer?.waId ?? message.peer }),
          ...(withContact && { recipient_user_id: customer.userId }),
          ...(message.callbackData !== undefined && { biz_opaque_callback_data: message.callbackData }),
          ...conversationOf(message, status),
          ...((status === "sent" || status === "delivered") && { pricing: pricingOf(message) }),
          ...(error !== undefined && { errors: [errorObject(error)] }),
        },
      ],
    },
  };
}

export function valueHead(number: BusinessNumber): object {
  return {
    messaging_product: "whatsapp",
    metadata: { display_phone_number: number.digits, phone_number_id: number.id },
  };
}

export function contactOf(customer: Customer, withUsername = true): object {
  const hasUsername = withUsername && customer.username !== undefined;
  return {
    profile: { name: customer.name, ...(hasUsername && { username: customer.username }) },
    ...(!customer.phoneHidden && { wa_id: customer.waId }),
    user_id: customer.userId,
  };
}

/** Since v24.0 only messages at a free entry point have a conversation; its end is told once, with `sent`. */
function conversationOf({ freeEntry }: StoredMessage, status: SentStatus): object {
  if (freeEntry === undefined || status === "failed") return {};
  return {
    conversation: {
      id: freeEntry.conversationId,
      ...(status === "sent" && { expiration_timestamp: metaTimestamp(freeEntry.until) }),
      origin: { type: "referral_conversion" },
    },
  };
}

/** Per-message pricing; reactions and free-form messages are of the category `service`. */
function pricingOf(message: StoredMessage): object {
  return message.freeEntry === undefined
    ? { billable: true, pricing_model: "PMP", type: "regular", category: message.category }
    : { billable: false, pricing_model: "PMP", type: "free_entry_point", category: "referral_conversion" };
}

export function errorObject({ code, title, details }: StatusError): object {
  return {
    code,
    title,
    message: title,
    error_data: { details: details ?? title },
    href: "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
  };
}
