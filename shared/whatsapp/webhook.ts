import { type Bytes, bytesToText } from "../bytes";
import { defined } from "../defined";
import { metaTimestampMs } from "../time";
import {
  asArray,
  asObject,
  get,
  getArray,
  getBoolean,
  getId,
  getNumber,
  getObject,
  getWord,
  isTooDeep,
  type JsonObject,
  rawText,
} from "./json";
import { readContent } from "./message-content";
import type {
  EchoItem,
  ItemOrigin,
  MessageContext,
  MessageItem,
  OtherReason,
  Party,
  StatusItem,
  WebhookError,
  WebhookItem,
  WebhookReading,
} from "./webhook-types";

/** Items read from one delivery. Meta batches at most 1,000 updates; more than this is not its doing. */
export const WEBHOOK_ITEMS_MAX = 5_000;

/** Errors read from one item; Meta lists one or two. */
const ERRORS_MAX = 16;

/** Reads the bytes of a delivery whose signature has been verified. Never throws: a body that is not JSON is one `other` item. */
export function readWebhookBody(body: Bytes | string): WebhookReading {
  const text = bytesToText(body);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return {
      items: [{ kind: "other", reason: "body", path: "", field: "", raw: rawText(text) }],
      omitted: 0,
    };
  }
  return readWebhook(json);
}

/**
 * Reads a parsed delivery into items, in the order in which they stand. Total: any JSON gives an answer, a part that
 * cannot be read becomes an `other` item, and no part influences how its neighbours are read.
 */
export function readWebhook(json: unknown): WebhookReading {
  const collector = new Collector();
  const root = asObject(json);
  if (root === undefined) collector.other({ path: "", field: "" }, json, "body");
  else readEntries(root, collector);
  return { items: collector.items, omitted: collector.omitted };
}

class Collector {
  readonly items: WebhookItem[] = [];
  omitted = 0;

  add(item: () => WebhookItem): void {
    if (this.items.length < WEBHOOK_ITEMS_MAX) this.items.push(item());
    else this.omitted++;
  }

  other(origin: ItemOrigin, value: unknown, reason: OtherReason): void {
    this.add(() => ({ ...origin, kind: "other", reason, raw: rawText(value) }));
  }

  /** Adds an item read from an object; a value that is no object, or too deep to handle, is kept as `other`. */
  read(
    origin: ItemOrigin,
    value: unknown,
    reader: (object: JsonObject, origin: ItemOrigin) => WebhookItem,
  ): void {
    const object = asObject(value);
    if (object === undefined) this.other(origin, value, "shape");
    else if (isTooDeep(object)) this.other(origin, undefined, "depth");
    else this.add(() => reader(object, origin));
  }
}

function readEntries(root: JsonObject, collector: Collector): void {
  const entries = getArray(root, "entry");
  if (entries === undefined) {
    collector.other({ path: "", field: "" }, root, "shape");
    return;
  }
  for (const [index, value] of entries.entries()) {
    const path = `entry[${index}]`;
    const entry = asObject(value);
    const changes = getArray(entry, "changes");
    if (changes === undefined) {
      collector.other({ path, field: "" }, value, "shape");
      continue;
    }
    const wabaId = getId(entry, "id");
    for (const [position, change] of changes.entries()) {
      readChange(
        change,
        { path: `${path}.changes[${position}]`, field: "", ...defined({ wabaId }) },
        collector,
      );
    }
  }
}

function readChange(value: unknown, entry: ItemOrigin, collector: Collector): void {
  const change = asObject(value);
  const content = getObject(change, "value");
  const field = getWord(change, "field") ?? "";
  if (content === undefined) {
    collector.other({ ...entry, field }, value, "shape");
    return;
  }
  const metadata = getObject(content, "metadata");
  const origin: ItemOrigin = {
    ...entry,
    path: `${entry.path}.value`,
    field,
    ...defined({
      phoneNumberId: getId(metadata, "phone_number_id"),
      displayPhoneNumber: getWord(metadata, "display_phone_number"),
    }),
  };
  const before = collector.items.length + collector.omitted;
  // A missing field name is forgiven: what the value holds tells what it is.
  if (field === "messages" || field === "") readMessagesValue(content, origin, collector);
  if (field === "smb_message_echoes" || field === "message_echoes") readEchoes(content, origin, collector);
  if (collector.items.length + collector.omitted > before) return;
  collector.other(origin, content, field === "messages" ? "shape" : "field");
}

function readMessagesValue(value: JsonObject, origin: ItemOrigin, collector: Collector): void {
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

/** Goes over the members of a list. A list that came as something else is handed over whole, so that it is kept. */
function each(
  value: JsonObject,
  key: string,
  origin: ItemOrigin,
  visit: (item: unknown, origin: ItemOrigin) => void,
): void {
  const list = get(value, key);
  if (list === undefined || list === null) return;
  const path = `${origin.path}.${key}`;
  const items = asArray(list);
  if (items === undefined) visit(list, { ...origin, path });
  else for (const [index, item] of items.entries()) visit(item, { ...origin, path: `${path}[${index}]` });
}

function readMessage(message: JsonObject, origin: ItemOrigin, people: readonly unknown[]): MessageItem {
  const ids = defined({
    waId: getId(message, "from"),
    userId: getId(message, "from_user_id"),
    parentUserId: getId(message, "from_parent_user_id"),
  });
  return { ...readMessageBase(message, origin), kind: "message", customer: completeParty(ids, people) };
}

function readEchoes(value: JsonObject, origin: ItemOrigin, collector: Collector): void {
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

function readMessageBase(message: JsonObject, origin: ItemOrigin) {
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
      referral: referral && rawText(referral),
    }),
  };
}

function readContext(context: JsonObject | undefined): MessageContext | undefined {
  if (context === undefined) return undefined;
  return {
    forwarded:
      getBoolean(context, "forwarded") === true || getBoolean(context, "frequently_forwarded") === true,
    ...defined({ wamid: getId(context, "id") ?? getId(context, "message_id"), from: getId(context, "from") }),
  };
}

/**
 * Adds what the `contacts` array tells about a person. Its order says nothing, so it is matched by id; only when the
 * message names nobody at all may a single contact stand for the sender.
 */
function completeParty(ids: Party, people: readonly unknown[]): Party {
  const nameless = ids.waId === undefined && ids.userId === undefined;
  const contact = people
    .map(asObject)
    .find((person) => (nameless ? people.length === 1 : isSamePerson(ids, person)));
  const profile = getObject(contact, "profile");
  return {
    ...defined({
      waId: getId(contact, "wa_id"),
      userId: getId(contact, "user_id"),
      parentUserId: getId(contact, "parent_user_id"),
      name: getWord(profile, "name"),
      username: getWord(profile, "username")?.replace(/^@/, ""),
    }),
    ...ids,
  };
}

function isSamePerson(ids: Party, contact: JsonObject | undefined): boolean {
  const userId = getId(contact, "user_id");
  const waId = getId(contact, "wa_id");
  return (userId !== undefined && userId === ids.userId) || (waId !== undefined && waId === ids.waId);
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

function readErrors(object: JsonObject): readonly WebhookError[] {
  return (getArray(object, "errors") ?? []).slice(0, ERRORS_MAX).flatMap((error) => {
    const fields = asObject(error);
    return fields === undefined ? [] : [readError(fields)];
  });
}

function readError(error: JsonObject): WebhookError {
  return defined({
    code: getNumber(error, "code"),
    title: getWord(error, "title"),
    message: getWord(error, "message"),
    details: getWord(getObject(error, "error_data"), "details") ?? getWord(error, "details"),
    href: getWord(error, "href"),
  });
}
