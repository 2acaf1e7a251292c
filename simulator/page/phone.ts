import { actsOf, attempt, notify } from "./acts";
import type { BusinessNumber, Message, Person } from "./api";
import { avatar } from "./avatar";
import { Chat } from "./chat";
import { Composer } from "./composer";
import { openMenu } from "./dialogs";
import { button, element, iconButton, reconcile } from "./dom";
import { openEmojis, quickEmojis } from "./emoji";
import { phoneNumber, plural, span, timeOfDay } from "./format";
import { openPersonMenu } from "./person-menu";
import { ownReaction } from "./reactions";
import type { Store } from "./store";

const HOUR_MS = 3_600_000;
/** How far a finger draws a message aside to answer it. */
const SWIPE_PX = 56;

/** The phone of one person, with the chat with the business open. */
export class Phone {
  readonly root: HTMLElement;
  readonly #store: Store;
  readonly #position: number;
  readonly #chat: Chat;
  readonly #composer: Composer;
  readonly #acts;
  readonly #owner = element("div", { class: "owner-words" });
  readonly #ownerAvatar = element("div", { class: "owner-avatar" });
  readonly #power: HTMLButtonElement;
  readonly #close: HTMLButtonElement;
  readonly #clock = element("span", { class: "clock-face" });
  readonly #signal = element("span", { class: "signal" });
  readonly #numbers = element("select", { "aria-label": "Number of the business", hidden: true });
  #chosenNumber: string | undefined;
  readonly #businessName = element("strong");
  readonly #businessState = element("small");
  readonly #businessAvatar = element("span");
  readonly #banner = element("p", { class: "phone-banner", hidden: true });

  constructor(store: Store, position: number, goBack: () => void) {
    this.#store = store;
    this.#position = position;
    this.#acts = actsOf(
      store,
      () => store.person(position),
      () => this.#number()?.id,
    );
    this.#chat = new Chat(store, this.#acts, (message, anchor) => this.#openActions(message, anchor));
    this.#composer = new Composer(store, this.#acts);
    this.#power = button(
      element("span"),
      () => void this.#acts.change({ online: !store.person(position)?.online }),
      {
        class: "power",
        role: "switch",
        "aria-label": "Phone is on",
      },
    );
    this.#numbers.addEventListener("change", () => {
      this.#chosenNumber = this.#numbers.value;
      this.show();
    });
    this.#close = iconButton("close", "Close this phone", () => store.closePhone(position));
    const menu = iconButton(
      "more",
      "What this person can do",
      () => {
        const person = store.person(position);
        if (person !== undefined) openPersonMenu(menu, store, person, this.#acts);
      },
      { "aria-haspopup": "menu" },
    );
    const owner = element(
      "header",
      { class: "owner" },
      iconButton("back", "All customers", goBack, { class: "icon-button go-back" }),
      this.#ownerAvatar,
      this.#owner,
      this.#power,
      menu,
      this.#close,
    );
    const statusBar = element(
      "div",
      { class: "status-bar", "aria-hidden": "true" },
      this.#clock,
      element("span", { class: "notch" }),
      this.#signal,
    );
    const business = element(
      "div",
      { class: "business-bar" },
      this.#businessAvatar,
      element("div", {}, this.#businessName, this.#businessState),
      this.#numbers,
    );
    const screen = element(
      "div",
      { class: "screen" },
      statusBar,
      business,
      this.#banner,
      this.#chat.root,
      this.#composer.root,
    );
    this.root = element("section", { class: "phone" }, owner, element("div", { class: "device" }, screen));
    this.#watchGestures();
  }

  focus(): void {
    this.#composer.focus();
  }

  show(): void {
    const person = this.#store.person(this.#position);
    if (person === undefined) return;
    this.root.setAttribute("aria-label", `Phone of ${person.name}`);
    this.root.classList.toggle("off", !person.online);
    this.#showOwner(person);
    this.#showBusiness(person);
    this.showTime();
    this.#chat.show(person, this.#number()?.id);
    this.#composer.show(person);
    if (document.visibilityState === "visible") this.#store.markSeen(person);
  }

  showTime(): void {
    this.#clock.textContent = timeOfDay(this.#store.now());
  }

  #showOwner(person: Person): void {
    this.#ownerAvatar.replaceChildren(avatar(person.name));
    const number = person.phoneHidden ? `@${person.username ?? person.userId}` : phoneNumber(person.phone);
    const open = person.windows.find(({ numberId }) => numberId === this.#number()?.id);
    const closesAt = open?.expiresAt ?? 0;
    const isNew = open === undefined;
    const left = closesAt - this.#store.now();
    const windowText = isNew
      ? "has not written yet"
      : left > 0
        ? `window ${span(left > HOUR_MS ? left - (left % HOUR_MS) : left)}`
        : "window closed";
    this.#owner.replaceChildren(
      element("h2", {}, person.name),
      element(
        "p",
        {
          title:
            left > 0 ? "So long the business may answer freely." : "Only templates reach this person now.",
        },
        element("span", { class: "who" }, number),
        " · ",
        element("span", { class: left > 0 ? "open" : isNew ? "" : "shut" }, windowText),
      ),
    );
    this.#power.setAttribute("aria-checked", String(person.online));
    this.#power.title = person.online ? "Switch the phone off" : "Switch the phone on";
    this.#close.hidden = this.#store.open.length < 2;
    this.#signal.replaceChildren(person.online ? "5G" : "No service", element("span", { class: "battery" }));
  }

  #showBusiness(person: Person): void {
    const number = this.#number();
    const name = number?.verifiedName ?? "Business";
    this.#showNumbers();
    this.#businessName.textContent = name;
    this.#businessAvatar.replaceChildren(avatar(name));
    const isTyping = this.#store.isTyping(person);
    this.#businessState.textContent = isTyping ? "typing…" : "Business account";
    this.#businessState.classList.toggle("typing-now", isTyping);
    const text = this.#bannerText(person, number?.blocked.includes(person.waId) === true);
    this.#banner.hidden = text === "";
    if (this.#banner.textContent !== text) this.#banner.textContent = text;
  }

  /** The number of the business whose chat is open: the chosen one, else the one of the last message. */
  #number(): BusinessNumber | undefined {
    const { numbers } = this.#store.world;
    const person = this.#store.person(this.#position);
    const last = person && this.#store.chat(person).at(-1)?.numberId;
    return (
      numbers.find(({ id }) => id === this.#chosenNumber) ??
      numbers.find(({ id }) => id === last) ??
      numbers[0]
    );
  }

  /** Where the business has several numbers, each is a chat of its own. */
  #showNumbers(): void {
    const { numbers } = this.#store.world;
    this.#numbers.hidden = numbers.length < 2;
    const items = numbers.map(({ id, verifiedName, displayPhoneNumber }) => ({
      key: id,
      signature: verifiedName,
      make: () => element("option", { value: id }, `${verifiedName}, ${displayPhoneNumber}`),
    }));
    reconcile(this.#numbers, items);
    this.#numbers.value = this.#number()?.id ?? "";
  }

  #bannerText(person: Person, isBlocked: boolean): string {
    const waiting = this.#store
      .chat(person)
      .filter(({ direction, status }) => direction === "outbound" && status === "sent").length;
    if (!person.online) {
      return `Phone is off.${waiting === 0 ? "" : ` ${plural(waiting, "message waits", "messages wait")} with one tick.`}`;
    }
    if (isBlocked) return "The business has blocked this person.";
    return person.optedOut ? "Opted out of promotions: marketing templates fail." : "";
  }

  #openActions(message: Message, anchor: HTMLElement): void {
    const own = message.direction === "inbound";
    const person = this.#store.person(this.#position);
    const given = person && ownReaction(message, this.#store.chat(person));
    const react = (emoji: string) =>
      void this.#acts.send({ type: "reaction", message_id: message.id, emoji });
    openMenu(
      anchor,
      "Message",
      [
        { label: "Reply", run: () => this.#composer.reply(message) },
        { label: "React with another emoji", run: () => openEmojis(anchor, react) },
        ...(given === undefined ? [] : [{ label: `Take ${given} back`, run: () => react("") }]),
        ...(own && EDITABLE.has(message.type) && !message.revoked
          ? [{ label: "Edit", run: () => this.#composer.edit(message) }]
          : []),
        { label: "Copy message id", run: () => void copyId(message.id) },
        ...(own && !message.revoked
          ? [
              {
                label: "Delete for everyone",
                danger: true,
                run: () => void this.#acts.send({ type: "revoke", message_id: message.id }),
              },
            ]
          : []),
      ],
      quickEmojis(react, given ?? ""),
    );
  }

  /** A double click, or a finger that draws a message aside, answers it. */
  #watchGestures(): void {
    const messageAt = (target: EventTarget | null) =>
      target instanceof Element
        ? this.#store.message(target.closest<HTMLElement>("[data-message]")?.dataset["message"])
        : undefined;
    const { root } = this.#chat;
    root.addEventListener("dblclick", (event) => {
      const message = messageAt(event.target);
      if (message !== undefined) this.#composer.reply(message);
    });
    let startX = 0;
    root.addEventListener(
      "touchstart",
      ({ touches }) => {
        startX = touches[0]?.clientX ?? 0;
      },
      { passive: true },
    );
    root.addEventListener("touchend", ({ changedTouches, target }) => {
      const message = messageAt(target);
      if (message !== undefined && (changedTouches[0]?.clientX ?? 0) - startX > SWIPE_PX)
        this.#composer.reply(message);
    });
  }
}

/** What a person can change after it was sent. */
const EDITABLE: ReadonlySet<string> = new Set(["text", "image", "video", "document"]);

async function copyId(id: string): Promise<void> {
  if (await attempt(() => navigator.clipboard.writeText(id))) notify("The message id is in the clipboard.");
}
