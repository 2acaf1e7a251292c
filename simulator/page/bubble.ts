import { asObject, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { Acts } from "./acts";
import type { Message, State } from "./api";
import {
  cardsOf,
  contactCards,
  formAnswer,
  locationCard,
  orderCard,
  referralCard,
  unknownCard,
} from "./card-content";
import { element, iconButton } from "./dom";
import { timeOfDay } from "./format";
import { type IconName, icon } from "./icons";
import { isMedia, mediaContent } from "./media-content";
import { componentOf, contentOf, objectsIn, summary, templateOf, templateText } from "./message-text";
import { carousel, mediaOf, offerButtons, orderTotal } from "./offers";
import type { Reaction } from "./reactions";
import { richText } from "./rich-text";

/** A message with what stands on it. */
export interface ShownMessage {
  readonly message: Message;
  readonly quoted: Message | undefined;
  /** Emojis on it, with who put them there. */
  readonly reactions: readonly Reaction[];
  readonly ticks: Ticks;
  /** The one before is of the same side and of the same minutes. */
  readonly continues: boolean;
}

/** How far a message is: the picture and what it means. */
export interface Ticks {
  readonly icon: IconName;
  readonly kind: "waiting" | "sent" | "delivered" | "read" | "failed";
  readonly label: string;
}

export interface BubbleParts {
  readonly state: State;
  readonly acts: Acts;
  /** Opens what can be done with the message, beside its button. */
  readonly openActions: (message: Message, anchor: HTMLElement) => void;
  readonly showOriginal: (id: string) => void;
}

/** One message as it looks on the phone of the person: the own ones on the right, those of the business on the left. */
export function bubble(shown: ShownMessage, parts: BubbleParts): HTMLElement {
  const { message, reactions, continues } = shown;
  const mine = message.direction === "inbound";
  if (message.type === "system") return notice(summary(parts.state, message));
  const look = [
    "bubble",
    mine ? "mine" : "theirs",
    continues && "continues",
    message.status === "failed" && "failed",
    isPlain(message) && "plain",
    !mine && (message.status === "accepted" || message.status === "sent") && "on-its-way",
  ];
  const actions = iconButton(
    "down",
    `Actions for: ${summary(parts.state, message)}`,
    () => parts.openActions(message, actions),
    {
      class: "icon-button actions",
      "data-focus": "actions",
      "aria-haspopup": "menu",
    },
  );
  const speech = element("div", { class: "speech" }, ...inside(shown, parts), actions);
  const made = element("li", { class: look.filter(Boolean).join(" "), "data-message": message.id }, speech);
  const offers =
    message.revoked || mine ? null : offerButtons(parts.state, message, contentOf(message), parts.acts);
  if (offers !== null) speech.append(offers);
  if (reactions.length > 0) {
    const names = reactions
      .map(({ emoji, mine: own }) => `${emoji} by ${own ? "you" : "the business"}`)
      .join(", ");
    const chip = element("div", { class: "reactions", role: "img", "aria-label": `Reactions: ${names}` });
    chip.append(...reactions.map(({ emoji }) => emoji));
    made.append(chip);
  }
  return made;
}

/** A line of WhatsApp's own in the middle of the chat. */
export function notice(text: string): HTMLElement {
  return element("li", { class: "notice-line" }, element("span", {}, text));
}

function inside(shown: ShownMessage, { state, acts, showOriginal }: BubbleParts): (Node | null)[] {
  const { message, quoted, ticks } = shown;
  const sender = element(
    "span",
    { class: "unseen" },
    message.direction === "inbound" ? "You: " : "Business: ",
  );
  const foot = footer(message, ticks);
  if (message.revoked) {
    const words = message.direction === "inbound" ? "You deleted this message" : "This message was deleted";
    return [sender, element("p", { class: "deleted" }, icon("block"), words), foot];
  }
  const quote = quoted === undefined ? null : quoteOf(state, quoted, showOriginal);
  const original =
    message.quotes !== undefined && quoted === undefined
      ? element("p", { class: "quote" }, "An earlier message")
      : null;
  const forwarded =
    message.forwarded === true ? element("p", { class: "forwarded" }, icon("forward"), "Forwarded") : null;
  const referral = asObject(message.referral);
  const from = referral === undefined ? null : referralCard(referral);
  return [sender, forwarded, from, quote, original, ...contents(state, message, acts), foot];
}

function quoteOf(state: State, quoted: Message, showOriginal: (id: string) => void): HTMLElement {
  const who =
    quoted.direction === "inbound"
      ? "You"
      : (state.numbers.find(({ id }) => id === quoted.numberId)?.verifiedName ?? "Business");
  const made = element(
    "button",
    { type: "button", class: "quote", "data-focus": "quote" },
    element("strong", {}, who),
    summary(state, quoted),
  );
  made.addEventListener("click", () => showOriginal(quoted.id));
  return made;
}

function footer(message: Message, ticks: Ticks): HTMLElement {
  const error = message.error;
  return element(
    "footer",
    {},
    error !== undefined && element("span", { class: "why" }, `${error.title} (${error.code})`),
    message.edited === true && !message.revoked && element("span", {}, "Edited"),
    element("time", { datetime: new Date(message.at).toISOString() }, timeOfDay(message.at)),
    element(
      "span",
      { class: `ticks ${ticks.kind}`, role: "img", "aria-label": ticks.label, title: ticks.label },
      icon(ticks.icon),
    ),
  );
}

function contents(state: State, message: Message, acts: Acts): (Node | null)[] {
  const content = contentOf(message);
  const { type } = message;
  if (isMedia(type)) return [mediaContent(state, message, type, content), words(getText(content, "caption"))];
  switch (type) {
    case "text":
      return [words(getText(content, "body"))];
    case "button":
      return [words(getText(content, "text"))];
    case "location":
      return [locationCard(content)];
    case "contacts":
      return [contactCards(cardsOf(message.content))];
    case "order":
      return [orderCard(content), words(getText(content, "text"))];
    case "interactive":
      return interactive(state, message, content, acts);
    case "template":
      return template(state, message, content, acts);
    default:
      return [unknownCard(type)];
  }
}

function interactive(state: State, message: Message, content: JsonObject, acts: Acts): (Node | null)[] {
  const reply = getObject(content, "button_reply") ?? getObject(content, "list_reply");
  if (reply !== undefined) return [words(getText(reply, "title")), small(getText(reply, "description"))];
  const form = getObject(content, "nfm_reply");
  if (form !== undefined) return [formAnswer(form)];
  const permission = getText(getObject(content, "call_permission_reply"), "response");
  if (permission !== undefined)
    return [words(permission === "accept" ? "Calls are allowed" : "Calls are not allowed")];
  const header = getObject(content, "header");
  const media = mediaOf(header);
  const total = orderTotal(content);
  return [
    media === undefined ? null : mediaContent(state, message, media.type, media.file),
    heading(getText(header, "text")),
    words(getText(getObject(content, "body"), "text")),
    total === null ? null : element("p", { class: "total" }, `Total ${total}`),
    small(getText(getObject(content, "footer"), "text")),
    carousel(state, message, content, acts, (file, type) => mediaContent(state, message, type, file)),
  ];
}

function template(state: State, message: Message, content: JsonObject, acts: Acts): (Node | null)[] {
  const definition = templateOf(state, content);
  const parameter = objectsIn(componentOf(content, "header"), "parameters")[0];
  const media = mediaOf(parameter);
  const footerText = getText(
    asObject(definition?.components.find((part) => part["type"] === "FOOTER")),
    "text",
  );
  return [
    media === undefined
      ? null
      : media.type === "location"
        ? locationCard(media.file)
        : mediaContent(state, message, media.type, media.file),
    heading(templateText(definition, content, "HEADER")),
    words(templateText(definition, content, "BODY")),
    small(footerText),
    carousel(state, message, content, acts, (file, type) => mediaContent(state, message, type, file)),
  ];
}

function words(text: string | undefined): HTMLElement | null {
  return text === undefined || text === "" ? null : richText(text);
}

function heading(text: string | undefined): HTMLElement | null {
  return text === undefined || text === "" ? null : element("strong", { class: "heading" }, text);
}

function small(text: string | undefined): HTMLElement | null {
  return text === undefined || text === "" ? null : element("small", { class: "quiet" }, text);
}

/** Stickers, and up to three emojis alone, stand without a bubble. */
function isPlain(message: Message): boolean {
  if (message.revoked) return false;
  if (message.type === "sticker") return true;
  const text = message.type === "text" ? (getText(contentOf(message), "body") ?? "") : "";
  return /^(?:\p{Extended_Pictographic}(?:\u{fe0f}|\u{200d}|\p{Emoji_Modifier})*){1,3}$/u.test(text);
}
