import { type Bytes, bytesToText } from "../bytes";
import { defined } from "../defined";
import { metaTimestampMs } from "../time";
import {
  asObject,
  get,
  getArray,
  getId,
  getObject,
  getWord,
  isTooDeep,
  type JsonObject,
  rawText,
} from "./json";
import { Collector } from "./webhook-collector";
import { EVENT_READERS } from "./webhook-events";
import { readHistory, readStandby } from "./webhook-history";
import { readEchoes, readMessagesValue } from "./webhook-messages";
import type { ItemOrigin, WebhookReading } from "./webhook-types";

export { WEBHOOK_ITEMS_MAX } from "./webhook-collector";

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
    const origin = defined({ wabaId: getId(entry, "id"), entryAtMs: metaTimestampMs(get(entry, "time")) });
    for (const [position, change] of changes.entries()) {
      readChange(change, { path: `${path}.changes[${position}]`, field: "", ...origin }, collector);
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
      // Updates of a number name it in the value itself.
      displayPhoneNumber:
        getWord(metadata, "display_phone_number") ?? getWord(content, "display_phone_number"),
    }),
  };
  const before = collector.items.length + collector.omitted;
  // A missing field name is forgiven: what the value holds tells what it is.
  if (field === "messages" || field === "") readMessagesValue(content, origin, collector);
  if (field === "smb_message_echoes" || field === "message_echoes") readEchoes(content, origin, collector);
  if (field === "history") readHistory(content, origin, collector);
  if (field === "standby") readStandby(getObject(content, "standby") ?? content, origin, collector);
  const events = isTooDeep(content)
    ? []
    : EVENT_READERS[field]?.(content, getArray(content, "contacts") ?? []);
  for (const event of events ?? []) collector.add(() => ({ ...origin, kind: "event", event }));
  if (collector.items.length + collector.omitted > before) return;
  collector.other(origin, content, field === "messages" ? "shape" : "field");
}
