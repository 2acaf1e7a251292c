import { asObject, getArray, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { DeliveryEntry, RequestEntry } from "../journal";

/** Entries of each kind that the page remembers; the control API has more. */
const ENTRIES_MAX = 1_000;

interface Entry {
  /** `call 3` or `webhook 7`: what it is called on the page. */
  readonly key: string;
  readonly n: number;
  readonly at: number;
  readonly status: number | null;
  readonly ms: number;
  /** Answered as it should be. */
  readonly good: boolean;
  readonly title: string;
  readonly about: string;
  /** Phone, WhatsApp id or user id of the customer, where it is about one. */
  readonly peer: string | undefined;
  /** Ids of messages and templates in it, by which calls and webhooks belong together. */
  readonly ids: readonly string[];
  /** Everything in it, in lower case, for the search. */
  readonly text: string;
}

export interface CallRow extends Entry {
  readonly kind: "call";
  readonly entry: RequestEntry;
}

export interface WebhookRow extends Entry {
  readonly kind: "webhook";
  readonly entry: DeliveryEntry;
  /** The body as JSON, or as it is when it is none. */
  readonly body: unknown;
}

export type LogRow = CallRow | WebhookRow;

/** Calls and webhooks in the order in which the page heard of them, and how they belong together. */
export class LogBook {
  #rows: LogRow[] = [];
  readonly #byId = new Map<string, LogRow[]>();
  /** Entries up to here were cleared from view. */
  #clearedAt = 0;
  #count = 0;
  /** Counts the resets, after which numbers begin anew. */
  era = 0;

  get rows(): readonly LogRow[] {
    return this.#rows.slice(this.#clearedAt);
  }

  /** How many entries there have been, cleared ones included. */
  get count(): number {
    return this.#count;
  }

  replace(calls: readonly RequestEntry[], webhooks: readonly DeliveryEntry[]): void {
    this.#rows = [];
    this.#byId.clear();
    this.#clearedAt = 0;
    this.#count = 0;
    const all = [...calls.map(callRow), ...webhooks.map(webhookRow)];
    for (const row of all.sort((one, other) => one.at - other.at || one.n - other.n)) this.#add(row);
  }

  addCall(entry: RequestEntry): void {
    this.#add(callRow(entry));
  }

  addWebhook(entry: DeliveryEntry): void {
    this.#add(webhookRow(entry));
  }

  clear(): void {
    this.#clearedAt = this.#rows.length;
  }

  find(key: string): LogRow | undefined {
    return this.#rows.find((row) => row.key === key);
  }

  /** The webhooks in which a message stands, oldest first. */
  webhooksOf(messageId: string): readonly WebhookRow[] {
    return (this.#byId.get(messageId) ?? []).filter((row): row is WebhookRow => row.kind === "webhook");
  }

  /** Other entries about the same messages or template, oldest first: what a call caused, or was an answer to. */
  related(row: LogRow): readonly LogRow[] {
    const found = new Set(row.ids.flatMap((id) => this.#byId.get(id) ?? []));
    for (const attempt of this.attempts(row)) found.delete(attempt);
    found.delete(row);
    return [...found].sort((one, other) => one.at - other.at);
  }

  /** Every attempt to deliver this very webhook, oldest first. */
  attempts(row: LogRow): readonly WebhookRow[] {
    if (row.kind === "call") return [];
    return this.#rows.filter(
      (other): other is WebhookRow =>
        other.kind === "webhook" && other.entry.body === row.entry.body && other.entry.url === row.entry.url,
    );
  }

  /** The latest webhook, by which one sees how the callback does. */
  lastWebhook(): WebhookRow | undefined {
    return this.#rows.findLast((row): row is WebhookRow => row.kind === "webhook");
  }

  #add(row: LogRow): void {
    if (this.#rows.some(({ key }) => key === row.key)) return;
    this.#count++;
    this.#rows.push(row);
    for (const id of row.ids) this.#byId.set(id, [...(this.#byId.get(id) ?? []), row]);
    if (this.#rows.length <= ENTRIES_MAX * 2) return;
    const gone = this.#rows.shift();
    this.#clearedAt = Math.max(0, this.#clearedAt - 1);
    for (const id of gone?.ids ?? []) {
      const left = (this.#byId.get(id) ?? []).filter((other) => other !== gone);
      if (left.length === 0) this.#byId.delete(id);
      else this.#byId.set(id, left);
    }
  }
}

function callRow(entry: RequestEntry): CallRow {
  const body = asObject(entry.body);
  const response = asObject(entry.response);
  const ids = [
    ...objects(response, "messages").map((message) => getText(message, "id")),
    getText(response, "id"),
    getText(body, "message_id"),
    getText(getObject(body, "context"), "message_id"),
    getText(getObject(body, "reaction"), "message_id"),
  ];
  const failure = getObject(response, "error");
  return {
    key: `call ${entry.n}`,
    kind: "call",
    entry,
    n: entry.n,
    at: entry.at,
    status: entry.status,
    ms: entry.ms,
    good: entry.status !== null && entry.status < 400,
    title: `${entry.method} ${edgeOf(entry.path)}`,
    about: failure === undefined ? aboutCall(body) : (getText(failure, "message") ?? ""),
    peer: getText(body, "to"),
    ids: ids.filter(isId),
    text: `${entry.method} ${entry.path} ${textOf(entry.body)} ${textOf(entry.response)}`.toLowerCase(),
  };
}

/** The path without version and id of a number or account, by which calls are told apart. */
function edgeOf(path: string): string {
  const [plain = ""] = path.split("?");
  return plain.replace(/^\/v[\d.]+/, "").replace(/^\/\d+(?=\/)/, "");
}

function aboutCall(body: JsonObject | undefined): string {
  if (getText(body, "status") === "read") {
    return getObject(body, "typing_indicator") === undefined ? "read receipt" : "read receipt, typing";
  }
  const type = getText(body, "type");
  if (getText(body, "messaging_product") === undefined || getText(body, "to") === undefined) return "";
  const name = getText(getObject(body, "template"), "name");
  return [type ?? "text", name ?? getText(getObject(body, "text"), "body")].filter(Boolean).join(" · ");
}

function webhookRow(entry: DeliveryEntry): WebhookRow {
  const body = parse(entry.body);
  const changes = objects(asObject(body), "entry").flatMap((one) => objects(one, "changes"));
  const values = changes.map((change) => getObject(change, "value"));
  const messages = values.flatMap((value) => objects(value, "messages"));
  const statuses = values.flatMap((value) => objects(value, "statuses"));
  const [contact] = objects(values[0], "contacts");
  const peer =
    getText(messages[0], "from") ??
    getText(messages[0], "from_user_id") ??
    getText(statuses[0], "recipient_id") ??
    getText(statuses[0], "recipient_user_id") ??
    getText(contact, "wa_id");
  const ids = [
    ...messages.flatMap((message) => [getText(message, "id"), ...targetsOf(message)]),
    ...statuses.map((status) => getText(status, "id")),
    ...values.map((value) => getText(value, "message_template_id")),
  ];
  return {
    key: `webhook ${entry.n}`,
    kind: "webhook",
    entry,
    body,
    n: entry.n,
    at: entry.at,
    status: entry.status,
    ms: entry.ms,
    good: entry.status === 200,
    title: getText(changes[0], "field") ?? "webhook",
    about: entry.error ?? aboutChanges(messages, statuses, values[0]),
    peer,
    ids: ids.filter(isId),
    text: `${entry.url} ${entry.body} ${entry.error ?? ""}`.toLowerCase(),
  };
}

/** The messages that a reaction, an edit or a removal is about. */
function targetsOf(message: JsonObject): (string | undefined)[] {
  return [
    getText(getObject(message, "reaction"), "message_id"),
    getText(getObject(message, "edit"), "original_message_id"),
    getText(getObject(message, "revoke"), "original_message_id"),
  ];
}

function aboutChanges(
  messages: readonly JsonObject[],
  statuses: readonly JsonObject[],
  value: JsonObject | undefined,
): string {
  const [message] = messages;
  const type = getText(message, "type");
  const parts = [
    type === undefined
      ? undefined
      : [type, getText(getObject(message, "text"), "body")].filter(Boolean).join(" · "),
    ...statuses.map((status) => getText(status, "status")),
    getText(value, "event"),
    getText(value, "message_template_name"),
    getText(objects(value, "user_preferences")[0], "value"),
  ].filter(Boolean);
  return parts.slice(0, 4).join(" · ") + (parts.length > 4 ? ` and ${parts.length - 4} more` : "");
}

function objects(object: JsonObject | undefined, key: string): JsonObject[] {
  return (getArray(object, key) ?? []).map(asObject).filter((one) => one !== undefined);
}

function isId(id: string | undefined): id is string {
  return id !== undefined && id !== "";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // Webhooks of a test, and those that a fault has cut, need not be JSON; they are shown as they are.
    return body;
  }
}
