import { getText } from "#shared/whatsapp/json";
import type { Act, Acts } from "./acts";
import type { Message, Person } from "./api";
import { openAttachments } from "./attachments";
import { button, element, iconButton } from "./dom";
import { openEmojis } from "./emoji";
import { contentOf, summary } from "./message-text";
import type { Store } from "./store";

/** What a message may be about: an answer to another one, or a change of an own one. */
type About = { readonly kind: "reply" | "edit"; readonly message: Message } | null;

/** Where the person writes. */
export class Composer {
  readonly root = element("form", { class: "composer", "aria-label": "Write a message" });
  readonly #store: Store;
  readonly #acts: Acts;
  readonly #text = element("textarea", {
    rows: 1,
    maxlength: 65_536,
    placeholder: "Message",
    "aria-label": "Message",
    enterkeyhint: "send",
  });
  readonly #aboutBar = element("div", { class: "about", hidden: true });
  readonly #row: HTMLElement;
  readonly #blockedBar: HTMLElement;
  #about: About = null;

  constructor(store: Store, acts: Acts) {
    this.#store = store;
    this.#acts = acts;
    const send: Act = (inbound) => this.#send(inbound);
    const attach = iconButton("attach", "Send something else", () => openAttachments(attach, send), {
      "aria-haspopup": "menu",
    });
    const emoji = iconButton("smile", "Emojis", () => openEmojis(emoji, (one) => this.#insert(one)), {
      "aria-haspopup": "menu",
    });
    const submit = iconButton("send", "Send", () => undefined, { type: "submit", class: "icon-button send" });
    this.#row = element(
      "div",
      { class: "composer-row" },
      element("div", { class: "box" }, emoji, this.#text, attach),
      submit,
    );
    this.#blockedBar = element(
      "div",
      { class: "blocked-bar", hidden: true },
      element("p", {}, "You blocked this business."),
      button("Unblock", () => void acts.change({ blocksUs: false })),
    );
    this.root.append(this.#aboutBar, this.#row, this.#blockedBar);
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#sendText();
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#about !== null) {
        event.stopPropagation();
        this.dropAbout();
      }
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.root.requestSubmit();
    });
  }

  show(person: Person): void {
    this.#row.hidden = person.blocksUs;
    this.#blockedBar.hidden = !person.blocksUs;
  }

  focus(): void {
    this.#text.focus();
  }

  reply(message: Message): void {
    this.#setAbout({ kind: "reply", message });
  }

  edit(message: Message): void {
    this.#setAbout({ kind: "edit", message });
    const content = contentOf(message);
    this.#text.value = getText(content, message.type === "text" ? "body" : "caption") ?? "";
  }

  dropAbout(): void {
    if (this.#about?.kind === "edit") this.#text.value = "";
    this.#about = null;
    this.#aboutBar.hidden = true;
  }

  #setAbout(about: NonNullable<About>): void {
    this.#about = about;
    const title =
      about.kind === "edit"
        ? "Edit message"
        : about.message.direction === "inbound"
          ? "Reply to yourself"
          : "Reply";
    this.#aboutBar.replaceChildren(
      element(
        "div",
        {},
        element("strong", {}, title),
        element("span", {}, summary(this.#store.world, about.message)),
      ),
      iconButton("close", about.kind === "edit" ? "Do not edit" : "Do not reply", () => {
        this.dropAbout();
        this.focus();
      }),
    );
    this.#aboutBar.hidden = false;
    this.focus();
  }

  #insert(text: string): void {
    this.#text.setRangeText(text, this.#text.selectionStart, this.#text.selectionEnd, "end");
    this.focus();
  }

  async #sendText(): Promise<void> {
    const body = this.#text.value;
    if (body.trim() === "") return;
    const about = this.#about;
    this.#text.value = "";
    const worked =
      about?.kind === "edit"
        ? await this.#edit(about.message, body)
        : await this.#send({ type: "text", body });
    // What was not sent is not lost, unless something else was written meanwhile.
    if (!worked && this.#text.value === "") this.#text.value = body;
  }

  #edit(message: Message, text: string): Promise<boolean> {
    this.#about = null;
    this.#aboutBar.hidden = true;
    const isText = message.type === "text";
    return this.#acts.send({
      type: "edit",
      message_id: message.id,
      ...(isText ? { text } : { message: { type: message.type, caption: text } }),
    });
  }

  /** Sends something, as an answer where one is being written. */
  #send(inbound: Readonly<Record<string, unknown>>): Promise<boolean> {
    const quoted = this.#about?.kind === "reply" ? { reply_to: this.#about.message.id } : {};
    this.dropAbout();
    return this.#acts.send({ ...quoted, ...inbound });
  }
}
