import type { Acts } from "./acts";
import type { Message, Person } from "./api";
import { type BubbleParts, bubble, notice, type ShownMessage, type Ticks } from "./bubble";
import { element, type Keyed, reconcile } from "./dom";
import { dayName, plural } from "./format";
import { reactionsOn } from "./reactions";
import type { Store } from "./store";

/** What stands on another message, and not in the chat by itself. */
const ON_OTHERS: ReadonlySet<string> = new Set(["reaction", "edit", "revoke"]);
/** Messages of one side that follow each other within this time are drawn together. */
const TOGETHER_MS = 5 * 60_000;
/** Messages on a phone at a time; more would make every change slow. */
const SHOWN_MAX = 300;
/** How near to its end the chat must be to follow new messages. */
const END_PX = 80;

/** The messages of one phone. Shows again what has changed, and nothing else. */
export class Chat {
  readonly #list = element("ol");
  /** What scrolls. */
  readonly root = element(
    "div",
    { class: "chat", role: "log", "aria-label": "Messages", tabindex: 0 },
    this.#list,
  );
  readonly #store: Store;
  readonly #parts: Omit<BubbleParts, "state">;
  /** Whether new messages move the chat along: so until somebody looks further up. */
  #followsEnd = true;

  constructor(store: Store, acts: Acts, openActions: BubbleParts["openActions"]) {
    this.#store = store;
    this.#parts = { acts, openActions, showOriginal: (id) => this.#showOriginal(id) };
    this.root.addEventListener("keydown", (event) => this.#moveByKey(event));
    this.root.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.root;
      this.#followsEnd = scrollHeight - scrollTop - clientHeight < END_PX;
    });
    // Pictures know their height only when they are there.
    for (const event of ["load", "loadedmetadata"]) {
      this.root.addEventListener(event, () => this.#followEnd(), { capture: true });
    }
    new ResizeObserver(() => this.#followEnd()).observe(this.root);
  }

  /** Shows what this person and one number of the business have written to each other. */
  show(person: Person, numberId: string | undefined): void {
    const messages = this.#store.chat(person).filter((message) => message.numberId === numberId);
    reconcile(this.#list, this.#items(person, messages));
    this.#followEnd();
  }

  #followEnd(): void {
    if (this.#followsEnd) this.root.scrollTop = this.root.scrollHeight;
  }

  #items(person: Person, messages: readonly Message[]): Keyed[] {
    const items: Keyed[] = [];
    const now = this.#store.now();
    const all = messages.filter(({ type }) => !ON_OTHERS.has(type));
    const shown = all.slice(-SHOWN_MAX);
    if (shown.length < all.length) {
      items.push(
        line("older", `${plural(all.length - shown.length, "older message")} in the state`, "older"),
      );
    }
    let day = "";
    let before: Message | undefined;
    for (const message of shown) {
      const name = dayName(message.at, now);
      if (name !== day) items.push(line(`day ${name}`, name, "day"));
      const view = this.#view(message, messages, name === day ? before : undefined);
      day = name;
      before = message;
      const media = this.#store.world.media.length;
      items.push({
        key: message.id,
        signature: JSON.stringify([view, media]),
        make: () => bubble(view, { ...this.#parts, state: this.#store.world }),
      });
    }
    if (shown.length === 0) {
      items.push(line("empty", "No messages yet. Write the first one, or let the business begin.", "empty"));
    }
    if (this.#store.isTyping(person)) {
      items.push({ key: "typing", signature: "", make: typing });
    }
    return items;
  }

  #view(message: Message, messages: readonly Message[], before: Message | undefined): ShownMessage {
    return {
      message,
      quoted: this.#store.message(message.quotes),
      reactions: reactionsOn(message, messages),
      ticks: message.direction === "inbound" ? this.#ticksOfOwn(message) : TICKS[message.status],
      continues:
        before !== undefined &&
        before.type !== "system" &&
        before.direction === message.direction &&
        message.at - before.at < TOGETHER_MS,
    };
  }

  /** One tick while no callback has taken the message, two once one has, blue when the business has read it. */
  #ticksOfOwn({ id, status }: Message): Ticks {
    if (status === "read") return { icon: "ticks", kind: "read", label: "Read by the business" };
    const webhooks = this.#store.log.webhooksOf(id);
    if (webhooks.some(({ good }) => good)) {
      return { icon: "ticks", kind: "delivered", label: "Delivered to the business" };
    }
    if (webhooks.length > 0)
      return { icon: "tick", kind: "sent", label: "Sent; the callback has not taken it yet" };
    return { icon: "tick", kind: "sent", label: "Sent" };
  }

  #showOriginal(id: string): void {
    for (const item of this.#list.children) {
      if (!(item instanceof HTMLElement) || item.dataset["message"] !== id) continue;
      item.scrollIntoView({ block: "center" });
      item.querySelector<HTMLElement>(".actions")?.focus();
      item.classList.remove("found");
      // The browser has to see the class go before it can come back.
      item.getBoundingClientRect();
      item.classList.add("found");
    }
  }

  /** Arrows move from message to message, Home and End to the first and the last. */
  #moveByKey(event: KeyboardEvent): void {
    const all = [...this.root.querySelectorAll<HTMLElement>(".actions")];
    const at = all.findIndex((one) => one.closest("li")?.contains(document.activeElement));
    const next = {
      ArrowUp: at < 0 ? all.length - 1 : at - 1,
      ArrowDown: at + 1,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    if (next === undefined || all.length === 0) return;
    event.preventDefault();
    all[Math.min(Math.max(0, next), all.length - 1)]?.focus();
  }
}

/** What the business knows about a message of its own; the phone itself shows no ticks there. */
const TICKS: Readonly<Record<Message["status"], Ticks>> = {
  accepted: { icon: "window", kind: "waiting", label: "The business sees: accepted" },
  received: { icon: "tick", kind: "sent", label: "Received" },
  sent: { icon: "tick", kind: "sent", label: "The business sees: sent" },
  delivered: { icon: "ticks", kind: "delivered", label: "The business sees: delivered" },
  read: { icon: "ticks", kind: "read", label: "The business sees: read" },
  played: { icon: "ticks", kind: "read", label: "The business sees: played" },
  failed: { icon: "warning", kind: "failed", label: "The business sees: failed" },
};

function line(key: string, text: string, name: string): Keyed {
  return {
    key,
    signature: text,
    make: () => {
      const made = notice(text);
      made.classList.add(name);
      return made;
    },
  };
}

function typing(): HTMLElement {
  const dots = element(
    "span",
    { class: "dots", "aria-hidden": "true" },
    element("i"),
    element("i"),
    element("i"),
  );
  return element(
    "li",
    { class: "bubble theirs typing" },
    element("div", { class: "speech" }, dots, element("span", { class: "unseen" }, "The business is typing")),
  );
}
