import { attempt, notify } from "./acts";
import { call } from "./api";
import { button, element } from "./dom";
import { timeWithSeconds } from "./format";
import { icon } from "./icons";
import { copyButton, jsonView } from "./json-view";
import type { LogRow } from "./log-book";
import type { Store } from "./store";

/** What an entry of the log says when it is open. */
export function entryDetails(store: Store, row: LogRow, show: (key: string) => void): HTMLElement {
  return element(
    "div",
    { class: "details" },
    row.kind === "call" ? callFacts(row, store) : webhookFacts(row),
    attemptList(store, row, show),
    relatedList(store, row, show),
    ...(row.kind === "call"
      ? [
          ...(row.entry.body === null || row.entry.body === undefined
            ? []
            : [jsonView("Request", row.entry.body)]),
          row.entry.response === null
            ? element("p", { class: "quiet" }, "No answer was sent: a fault rule dropped it.")
            : jsonView("Answer", row.entry.response),
        ]
      : [jsonView("Webhook", row.body)]),
  );
}

function callFacts({ entry }: Extract<LogRow, { kind: "call" }>, store: Store): HTMLElement {
  return element(
    "div",
    { class: "facts" },
    element("code", {}, `${entry.method} ${entry.path}`),
    copyButton("Copy as curl", curlOf(entry, store), "Copy as curl"),
  );
}

function curlOf(entry: Extract<LogRow, { kind: "call" }>["entry"], store: Store): string {
  const parts = [
    `curl -X ${entry.method} '${location.origin}${entry.path}'`,
    `-H 'Authorization: Bearer ${store.world.app.accessToken}'`,
  ];
  if (entry.method === "POST" && typeof entry.body === "object") {
    parts.push(
      "-H 'Content-Type: application/json'",
      `-d '${JSON.stringify(entry.body).replaceAll("'", "'\\''")}'`,
    );
  }
  return parts.join(" \\\n  ");
}

function webhookFacts({ entry }: Extract<LogRow, { kind: "webhook" }>): HTMLElement {
  const again = async () => {
    if (await attempt(() => call(`deliveries/${entry.n}/resend`, {})))
      notify("Sent once more, newly signed.");
  };
  return element(
    "div",
    { class: "facts" },
    element("code", {}, `POST ${entry.url}`),
    button(element("span", { class: "menu-face" }, icon("again"), "Send again"), () => void again(), {
      class: "small",
    }),
  );
}

/** Every attempt of a webhook that was not taken at once. */
function attemptList(store: Store, row: LogRow, show: (key: string) => void): HTMLElement | null {
  const attempts = store.log.attempts(row);
  if (attempts.length < 2) return null;
  const items = attempts.map((one) => {
    const name = one.entry.resendOf === undefined ? `Attempt ${one.entry.attempt}` : "Sent again by hand";
    return relatedItem(one, name, one === row, show);
  });
  return element(
    "div",
    { class: "related" },
    element("h3", {}, "The same bytes"),
    element("ul", {}, ...items),
  );
}

function relatedList(store: Store, row: LogRow, show: (key: string) => void): HTMLElement | null {
  const related = store.log.related(row).slice(-RELATED_MAX);
  if (related.length === 0) return null;
  const items = related.map((one) =>
    relatedItem(one, `${one.kind === "call" ? "Call" : "Webhook"} ${one.about || one.title}`, false, show),
  );
  return element(
    "div",
    { class: "related" },
    element("h3", {}, "About the same message"),
    element("ul", {}, ...items),
  );
}

const RELATED_MAX = 12;

function relatedItem(row: LogRow, name: string, isThis: boolean, show: (key: string) => void): HTMLElement {
  const face = element(
    "span",
    {},
    icon(row.kind === "call" ? "in" : "out"),
    element("span", { class: "what" }, name),
    statusChip(row),
    element("time", {}, timeWithSeconds(row.at)),
  );
  return element(
    "li",
    {},
    button(face, () => show(row.key), { "aria-current": isThis ? "true" : undefined }),
  );
}

/** The status with which something was answered, in words where there was no answer. */
export function statusChip({ status, good }: LogRow): HTMLElement {
  return element(
    "span",
    { class: good ? "status good" : "status bad" },
    status === null ? "no answer" : String(status),
  );
}
