import { defined } from "../defined";
import {
  asObject,
  get,
  getArray,
  getBoolean,
  getId,
  getNumber,
  getObject,
  getText,
  getWord,
  type JsonObject,
  rawText,
} from "./json";
import type { MediaContent, MediaType, MessageContent, OrderItem, SharedContact } from "./webhook-types";

/**
 * The content of one message object of a webhook. Total: whatever the object holds, there is an answer; a type that
 * is unknown, or known but without its content, becomes `other` with the type as its label.
 */
export function readContent(message: JsonObject): MessageContent {
  const type = getWord(message, "type") ?? guessType(message);
  const reader = READERS[type];
  const content = reader?.(getObject(message, type), message);
  return content ?? { type: "other", label: type, raw: rawText(message) };
}

type Reader = (body: JsonObject | undefined, message: JsonObject) => MessageContent | undefined;

/** A null prototype, so that a type called `constructor` or `__proto__` finds nothing. */
const READERS: Readonly<Record<string, Reader>> = Object.assign(Object.create(null), {
  text: (body) => {
    const text = getText(body, "body");
    return text === undefined ? undefined : { type: "text", text };
  },
  image: media("image"),
  video: media("video"),
  sticker: media("sticker"),
  document: media("document"),
  voice: media("voice"),
  audio: (body) => readMedia(getBoolean(body, "voice") === true ? "voice" : "audio", body),
  reaction: (body) =>
    body && {
      type: "reaction",
      // A removal arrives without `emoji` or with an empty one; both are seen.
      emoji: getWord(body, "emoji") ?? null,
      ...defined({ targetWamid: getId(body, "message_id") }),
    },
  location: (body) =>
    body && {
      type: "location",
      ...defined({
        latitude: getNumber(body, "latitude"),
        longitude: getNumber(body, "longitude"),
        name: getWord(body, "name"),
        address: getWord(body, "address"),
        url: getWord(body, "url"),
      }),
    },
  contacts: (_, message) => {
    const cards = getArray(message, "contacts");
    return (
      cards && {
        type: "contacts",
        contacts: cards.slice(0, CONTACTS_MAX).map(readContact),
        raw: rawText(cards),
      }
    );
  },
  button: (body) =>
    body && {
      type: "button",
      ...defined({ text: getWord(body, "text"), payload: getText(body, "payload") }),
    },
  interactive: readInteractive,
  order: (body) => {
    const items = getArray(body, "product_items") ?? [];
    return (
      body && {
        type: "order",
        itemCount: items.length,
        items: items.slice(0, ORDER_ITEMS_MAX).map(readOrderItem),
        raw: rawText(body),
        ...defined({ text: getWord(body, "text"), catalogId: getId(body, "catalog_id") }),
      }
    );
  },
  system: (body) =>
    body && {
      type: "system",
      raw: rawText(body),
      ...defined({
        event: getWord(body, "type"),
        body: getWord(body, "body"),
        newWaId: getId(body, "wa_id") ?? getId(body, "new_wa_id"),
        newUserId: getId(body, "user_id"),
        newParentUserId: getId(body, "parent_user_id"),
        previousUserId: getId(body, "previous_user_id"),
      }),
    },
  edit: (body) => {
    const edited = getObject(body, "message");
    if (edited === undefined) return undefined;
    // An edit of an edit is not documented; reading only one level keeps the reader from recursing.
    const content: MessageContent =
      getWord(edited, "type") === "edit"
        ? { type: "other", label: "edit", raw: rawText(edited) }
        : readContent(edited);
    return { type: "edit", content, ...defined({ originalWamid: getId(body, "original_message_id") }) };
  },
  revoke: (body) =>
    body && { type: "revoke", ...defined({ originalWamid: getId(body, "original_message_id") }) },
  unsupported: (body, message) => ({
    type: "unsupported",
    raw: rawText(message),
    ...defined({ label: getWord(body, "type") }),
  }),
} satisfies Record<string, Reader>);

/** Contact cards of one message; the documented limit for sending is 257, receiving is not said to differ. */
const CONTACTS_MAX = 257;

/** Lines of one order that are read; a cart holds fewer, and the raw body has all of them. */
const ORDER_ITEMS_MAX = 200;

/** Without a `type` the key that holds an object of a known type tells it. */
function guessType(message: JsonObject): string {
  return (
    Object.keys(message).find((key) => READERS[key] !== undefined && get(message, key) !== null) ?? "unknown"
  );
}

function media(type: MediaType): Reader {
  return (body) => readMedia(type, body);
}

function readMedia(type: MediaType, body: JsonObject | undefined): MediaContent | undefined {
  if (body === undefined) return undefined;
  return {
    type,
    ...defined({
      mediaId: getId(body, "id"),
      mimeType: getWord(body, "mime_type"),
      sha256: getWord(body, "sha256"),
      filename: getWord(body, "filename"),
      caption: getWord(body, "caption"),
      url: getWord(body, "url"),
      animated: getBoolean(body, "animated"),
    }),
  };
}

function readContact(card: unknown): SharedContact {
  const object = asObject(card);
  const phones = (getArray(object, "phones") ?? []).slice(0, CONTACTS_MAX);
  const addresses = (getArray(object, "emails") ?? []).slice(0, CONTACTS_MAX);
  const emails = addresses.flatMap((address) => getWord(asObject(address), "email") ?? []);
  return {
    phones: phones.flatMap(
      (phone) => getWord(asObject(phone), "phone") ?? getId(asObject(phone), "wa_id") ?? [],
    ),
    ...defined({
      name: getWord(getObject(object, "name"), "formatted_name"),
      company: getWord(getObject(object, "org"), "company"),
      emails: emails.length > 0 ? emails : undefined,
    }),
  };
}

function readOrderItem(line: unknown): OrderItem {
  const item = asObject(line);
  return defined({
    productId: getId(item, "product_retailer_id"),
    quantity: getNumber(item, "quantity"),
    price: getNumber(item, "item_price"),
    currency: getWord(item, "currency"),
  });
}

function readInteractive(body: JsonObject | undefined): MessageContent | undefined {
  if (body === undefined) return undefined;
  const reply = getWord(body, "type") ?? "unknown";
  const answer = getObject(body, reply);
  return {
    type: "interactive",
    reply,
    raw: rawText(body),
    ...defined({
      id: getText(answer, "id"),
      title: getWord(answer, "title") ?? getWord(answer, "body"),
      description: getWord(answer, "description"),
      response: getWord(answer, "response_json"),
    }),
  };
}
