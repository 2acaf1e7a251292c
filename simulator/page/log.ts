import type { DeliveryEntry, RequestEntry } from "../journal";
import { byId, element } from "./dom";

/** Entries shown; older ones are in the control API. */
const SHOWN_MAX = 200;

/** Adds a Graph call on top of the log. */
export function logRequest(entry: RequestEntry): void {
  add(
    "request",
    "→ call",
    `${entry.method} ${entry.path.replace(/^\/v[\d.]+/, "")}`,
    entry.at,
    entry.status,
    {
      request: entry.body,
      response: entry.response,
    },
  );
}

/** Adds an attempt to deliver a webhook on top of the log. */
export function logDelivery(entry: DeliveryEntry): void {
  const body = parse(entry.body);
  const attempt = entry.attempt > 1 ? ` (attempt ${entry.attempt})` : "";
  add("delivery", "← hook", `${describe(body)}${attempt}`, entry.at, entry.status, {
    url: entry.url,
    ms: entry.ms,
    ...(entry.error !== undefined && { error: entry.error }),
    body,
  });
}

export function clearLog(): void {
  byId("log", HTMLOListElement).replaceChildren();
  showEmpty();
}

/** Shows only calls, only webhooks, or both. */
export function filterLog(kind: string): void {
  for (const item of byId("log", HTMLOListElement).children) {
    if (item instanceof HTMLElement) item.hidden = kind !== "all" && item.dataset["kind"] !== kind;
  }
}

function add(
  kind: string,
  direction: string,
  what: string,
  at: number,
  status: number | null,
  details: object,
): void {
  const log = byId("log", HTMLOListElement);
  const good = status !== null && status < 300;
  const time = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const entry = element(
    "details",
    {},
    element(
      "summary",
      {},
      element("span", { class: "direction" }, direction),
      element("span", { class: "what" }, what),
      element("span", { class: good ? "code" : "code bad" }, status === null ? "no answer" : String(status)),
      element("span", {}),
      element("time", {}, time),
    ),
    element("pre", {}, JSON.stringify(details, null, 2)),
  );
  const item = element("li", { "data-kind": kind }, entry);
  const filter = byId("filter", HTMLSelectElement).value;
  item.hidden = filter !== "all" && filter !== kind;
  log.prepend(item);
  while (log.children.length > SHOWN_MAX) log.lastElementChild?.remove();
  showEmpty();
}

function showEmpty(): void {
  byId("log-empty", HTMLParagraphElement).hidden = byId("log", HTMLOListElement).children.length > 0;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // Webhooks of a test need not be JSON; they are shown as they are.
    return body;
  }
}

/** What a webhook is about, in a few words. */
function describe(body: unknown): string {
  const text = JSON.stringify(body) ?? "";
  const status = /"status":"(\w+)"/.exec(text)?.[1];
  if (status !== undefined) return `status ${status}`;
  const type = /"messages":\[\{.*?"type":"(\w+)"/.exec(text)?.[1];
  return type === undefined ? "webhook" : `message ${type}`;
}
