import { announce, byId, element, type Keyed, reconcile } from "./dom";
import { plural, span, timeWithSeconds } from "./format";
import { icon } from "./icons";
import type { LogRow } from "./log-book";
import { entryDetails, statusChip } from "./log-entry";
import type { Store } from "./store";

/** Entries on the page at a time; the search looks through more. */
const SHOWN_MAX = 300;

type Filter = "all" | "call" | "webhook" | "bad";

/** The log of Graph calls and webhooks, newest first. */
export class Log {
  readonly #store: Store;
  readonly #list = byId("log", HTMLOListElement);
  readonly #search = byId("log-search", HTMLInputElement);
  readonly #pause = byId("log-pause", HTMLButtonElement);
  #filter: Filter = "all";
  readonly #openKeys = new Set<string>();
  #era = 0;
  /** What is shown while the log stands still. */
  #frozen: readonly LogRow[] | null = null;

  constructor(store: Store) {
    this.#store = store;
    for (const one of document.querySelectorAll<HTMLButtonElement>("[data-filter]")) {
      one.addEventListener("click", () => this.#setFilter(one));
    }
    this.#search.addEventListener("input", () => this.show());
    this.#pause.addEventListener("click", () => {
      this.#frozen = this.#frozen === null ? store.log.rows : null;
      this.#pause.setAttribute("aria-pressed", String(this.#frozen !== null));
      this.show();
    });
    byId("log-clear", HTMLButtonElement).addEventListener("click", () => {
      store.log.clear();
      if (this.#frozen !== null) this.#frozen = [];
      this.show();
      announce("The log is empty.");
    });
    this.#list.addEventListener("keydown", (event) => this.#moveByKey(event));
  }

  show(): void {
    if (this.#era !== this.#store.log.era) {
      this.#era = this.#store.log.era;
      this.#openKeys.clear();
    }
    const rows = this.#frozen ?? this.#store.log.rows;
    const wanted = this.#search.value.trim().toLowerCase();
    const found = rows.filter((row) => this.#passes(row) && row.text.includes(wanted)).reverse();
    reconcile(
      this.#list,
      found.slice(0, SHOWN_MAX).map((row) => this.#item(row)),
    );
    const empty = byId("log-empty", HTMLDivElement);
    empty.hidden = found.length > 0;
    byId("log-empty-words", HTMLParagraphElement).textContent =
      rows.length === 0
        ? "Nothing has happened yet. Write something as a customer, or send as the business."
        : "Nothing matches.";
    const missed = this.#frozen === null ? 0 : this.#store.log.rows.length - this.#frozen.length;
    this.#pause.textContent =
      this.#frozen === null ? "Pause" : missed > 0 ? `Resume (${missed} new)` : "Resume";
    byId("log-count", HTMLSpanElement).textContent =
      rows.length === 0 ? "" : plural(found.length, "entry", "entries");
  }

  /** Opens an entry and brings it into sight. */
  reveal(key: string): void {
    this.#openKeys.add(key);
    const row = this.#store.log.find(key);
    if (row !== undefined && !this.#passes(row))
      this.#setFilter(document.querySelector<HTMLButtonElement>("[data-filter=all]"));
    this.#search.value = "";
    this.show();
    for (const item of this.#list.children) {
      if (!(item instanceof HTMLElement) || item.dataset["key"] !== key) continue;
      item.scrollIntoView({ block: "nearest" });
      item.querySelector("button")?.focus();
    }
  }

  #setFilter(chosen: HTMLButtonElement | null): void {
    if (chosen === null) return;
    const filter = chosen.dataset["filter"];
    this.#filter = filter === "call" || filter === "webhook" || filter === "bad" ? filter : "all";
    for (const one of document.querySelectorAll("[data-filter]"))
      one.setAttribute("aria-pressed", String(one === chosen));
    this.show();
  }

  #passes(row: LogRow): boolean {
    if (this.#filter === "all") return true;
    return this.#filter === "bad" ? !row.good : row.kind === this.#filter;
  }

  #item(row: LogRow): Keyed {
    const isOpen = this.#openKeys.has(row.key);
    const person = row.peer === undefined ? undefined : this.#store.personOf(row.peer);
    const related = isOpen ? this.#store.log.related(row).length + this.#store.log.attempts(row).length : 0;
    return {
      key: row.key,
      signature: JSON.stringify([isOpen, related, person?.name]),
      make: () => {
        const isCall = row.kind === "call";
        const attempt = row.kind === "webhook" ? attemptText(row.entry) : "";
        const head = element(
          "button",
          { type: "button", class: "entry", "aria-expanded": isOpen, "data-focus": "entry" },
          element(
            "span",
            { class: `direction ${row.kind}` },
            icon(isCall ? "in" : "out"),
            element("span", { class: "unseen" }, isCall ? "Call " : "Webhook "),
          ),
          element("span", { class: "title" }, row.title, attempt !== "" && element("em", {}, attempt)),
          element(
            "span",
            { class: "numbers" },
            statusChip(row),
            element("span", { class: "ms" }, span(row.ms)),
          ),
          element(
            "span",
            { class: row.good ? "about" : "about bad" },
            [row.about, person?.name].filter(Boolean).join(" · "),
          ),
          element("time", {}, timeWithSeconds(row.at)),
        );
        head.addEventListener("click", () => {
          if (!this.#openKeys.delete(row.key)) this.#openKeys.add(row.key);
          this.show();
        });
        const item = element("li", { class: row.kind }, head);
        if (isOpen) item.append(entryDetails(this.#store, row, (key) => this.reveal(key)));
        return item;
      },
    };
  }

  #moveByKey(event: KeyboardEvent): void {
    const all = [...this.#list.querySelectorAll<HTMLElement>(".entry")];
    const at = all.findIndex((one) => one === document.activeElement);
    if (at < 0) return;
    const next = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all[Math.min(Math.max(0, next), all.length - 1)]?.focus();
  }
}

function attemptText({
  attempt,
  resendOf,
}: {
  readonly attempt: number;
  readonly resendOf?: number;
}): string {
  if (resendOf !== undefined) return "sent again";
  return attempt > 1 ? `attempt ${attempt}` : "";
}
