import { defined } from "../defined";
import { metaTimestampMs } from "../time";
import { get, getArray, getBoolean, getId, getObject, getWord, type JsonObject } from "./json";
import { readContent } from "./message-content";
import { type Collector, each } from "./webhook-collector";
import { completeParty, readError, readErrors } from "./webhook-parts";
import type {
  EchoItem,
  ItemOrigin,
  MessageContext,
  MessageItem,
  Referral,
  StatusItem,
} from "./webhook-types";

/** The value of the field `messages`: what customers wrote, statuses, and errors of the number as a whole. */
export function readMessagesValue(value: JsonObject, origin: ItemOrigin, collector: Collector): void {
  const people = getArray(value, "contacts") ?? [];
  each(value, "messages", origin, (item, at) =>
    collector.read(at, item, (message, where) => readMessage(message, where, people)),
  );
  each(value, "statuses", origin, (item, at) =>
    collector.read(at, item, (status, where) => readStatus(status, where, people)),
  );
  each(value, "errors", origin, (item, at) =>
    collector.read(at, item, (error, where) => ({ ...where, kind: "error", error: readError(error) })),
  );
}

function readMessage(message: JsonObject, origin: ItemOrigin, people: readonly unknown[]): MessageItem {
  const ids = defined({
    waId: getId(message, "from"),
    userId: getId(message, "from_user_id"),
    parentUserId: getId(message, "from_parent_user_id"),
  });
  return { ...readMessageBase(message, origin), kind: "message", customer: completeParty(ids, people) };
}

/** What the business wrote on its own phone (Meta: `smb_message_echoes`). */
export function readEchoes(value: JsonObject, origin: ItemOrigin, collector: Collector): void {
  const people = getArray(value, "contacts") ?? [];
  each(value, "message_echoes", origin, (item, at) =>
    collector.read(at, item, (message, where): EchoItem => {
      const ids = defined({
        waId: getId(message, "to"),
        userId: getId(message, "to_user_id"),
        parentUserId: getId(message, "to_parent_user_id"),
      });
      return { ...readMessageBase(message, where), kind: "echo", customer: completeParty(ids, people) };
    }),
  );
}

/** What all kinds of messages share. */
export function readMessageBase(message: JsonObject, origin: ItemOrigin) {
  const referral = getObject(message, "referral");
  return {
    ...origin,
    content: readContent(message),
    errors: readErrors(message),
    ...defined({
      wamid: getId(message, "id"),
      groupId: getId(message, "group_id"),
      timestampMs: metaTimestampMs(get(message, "timestamp")),
      context: readContext(getObject(message, "context")),
      referral: referral && readReferral(referral),
    }),
  };
}

function readReferral(referral: JsonObject): Referral {
  return defined({
    sourceUrl: getWord(referral, "source_url"),
    sourceId: getId(referral, "source_id"),
    sourceType: getWord(referral, "source_type"),
    headline: getWord(referral, "headline"),
    body: getWord(referral, "body"),
    mediaType: getWord(referral, "media_type"),
    clickId: getWord(referral, "ctwa_clid"),
  });
}

function readContext(context: JsonObject | undefined): MessageContext | undefined {
  if (context === undefined) return undefined;
  const product = getObject(context, "referred_product");
  return {
    forwarded:
      getBoolean(context, "forwarded") === true || getBoolean(context, "frequently_forwarded") === true,
    ...defined({
      wamid: getId(context, "id") ?? getId(context, "message_id"),
      from: getId(context, "from"),
      product:
        product &&
        defined({
          catalogId: getId(product, "catalog_id"),
          retailerId: getId(product, "product_retailer_id"),
        }),
    }),
  };
}

function readStatus(status: JsonObject, origin: ItemOrigin, people: readonly unknown[]): StatusItem {
  const conversation = getObject(status, "conversation");
  const pricing = getObject(status, "pricing") ?? getObject(conversation, "pricing");
  const participant = defined({
    // Meta's pages disagree about the name of this field.
    waId: getId(status, "recipient_participant_id") ?? getId(status, "participant_recipient_id"),
    userId: getId(status, "recipient_participant_user_id"),
  });
  const recipient = defined({
    waId: getId(status, "recipient_id"),
    userId: getId(status, "recipient_user_id"),
    parentUserId: getId(status, "recipient_parent_user_id"),
  });
  return {
    ...origin,
    kind: "status",
    status: getWord(status, "status") ?? "",
    recipient: completeParty(recipient, people),
    errors: readErrors(status),
    ...(Object.keys(participant).length > 0 && { participant }),
    ...defined({
      wamid: getId(status, "id"),
      timestampMs: metaTimestampMs(get(status, "timestamp")),
      callbackData: getWord(status, "biz_opaque_callback_data"),
      pricing:
        pricing &&
        defined({
          billable: getBoolean(pricing, "billable"),
          model: getWord(pricing, "pricing_model"),
          type: getWord(pricing, "type"),
          category: getWord(pricing, "category"),
        }),
      conversation:
        conversation &&
        defined({
          id: getId(conversation, "id"),
          expiresAtMs: metaTimestampMs(get(conversation, "expiration_timestamp")),
          origin: getWord(getObject(conversation, "origin"), "type"),
        }),
    }),
  };
}
