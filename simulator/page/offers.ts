import {
  asObject,
  get,
  getArray,
  getNumber,
  getObject,
  getText,
  type JsonObject,
} from "#shared/whatsapp/json";
import type { Act, Acts } from "./acts";
import type { Message, State } from "./api";
import { money } from "./card-content";
import { button, element } from "./dom";
import * as forms from "./forms";
import { type IconName, icon } from "./icons";
import { componentOf, filled, objectsIn, templateOf } from "./message-text";
import { link, richText } from "./rich-text";

/** Something that can be tapped under a message of the business: a link, or an act of the person. */
interface Offer {
  readonly icon: IconName;
  readonly label: string;
  readonly href?: string;
  readonly tap?: () => void;
}

/** The taps that a message of the business offers, as a phone shows them under it. */
export function offerButtons(
  state: State,
  message: Message,
  content: JsonObject,
  acts: Acts,
): HTMLElement | null {
  const answer = answering(message, acts);
  const offers =
    message.type === "template"
      ? templateOffers(state, content, { ...acts, send: answer })
      : interactiveOffers(content, answer);
  return offers.length === 0 ? null : offerList(offers);
}

function offerList(offers: readonly Offer[]): HTMLElement {
  const taps = offers.map(({ icon: name, label, href, tap }, index) => {
    const face = element("span", {}, icon(name), label);
    if (href !== undefined) {
      const made = link(href);
      made.replaceChildren(face);
      return made;
    }
    return button(face, () => tap?.(), { "data-focus": `offer ${index}`, disabled: tap === undefined });
  });
  return element("div", { class: "offers" }, ...taps);
}

function interactiveOffers(content: JsonObject, act: Act): Offer[] {
  const action = getObject(content, "action");
  const parameters = getObject(action, "parameters");
  const type = getText(content, "type");
  const label = (fallback: string) =>
    getText(parameters, "display_text") ??
    getText(parameters, "flow_cta") ??
    getText(action, "button") ??
    fallback;
  switch (type) {
    case "button":
      return objectsIn(action, "buttons").map((one) => {
        const reply = getObject(one, "reply");
        const title = getText(reply, "title") ?? "";
        return {
          icon: "reply",
          label: title,
          tap: () => void act({ type: "button_reply", reply_id: getText(reply, "id"), title }),
        };
      });
    case "list":
      return [
        {
          icon: "list",
          label: label("Options"),
          tap: () => void forms.chooseFromList(label("Options"), action, act),
        },
      ];
    case "cta_url":
      return [{ icon: "link", label: label("Open"), href: getText(parameters, "url") ?? "" }];
    case "location_request_message":
      return [{ icon: "pin", label: "Send location", tap: () => void forms.sendLocation(act) }];
    case "flow":
      return [
        {
          icon: "form",
          label: label("Open form"),
          tap: () => void forms.completeFlow(label("Form"), getText(parameters, "flow_token"), act),
        },
      ];
    case "address_message":
      return [{ icon: "form", label: "Provide address", tap: () => void forms.sendAddress(act) }];
    case "request_contact_info":
      return [{ icon: "person", label: "Share contact info", tap: () => void forms.shareContactInfo(act) }];
    case "call_permission_request":
      return [
        {
          icon: "call",
          label: "Allow calls",
          tap: () => void act({ type: "call_permission_reply", response: "accept" }),
        },
        {
          icon: "block",
          label: "Don't allow",
          tap: () => void act({ type: "call_permission_reply", response: "reject" }),
        },
      ];
    case "product":
    case "product_list":
    case "catalog_message":
      return [
        {
          icon: "bag",
          label: type === "product" ? "Order" : "View items",
          tap: () => void forms.sendOrder(productsOf(action), act),
        },
      ];
    case "order_details":
    case "order_status":
      return [{ icon: "bag", label: type === "order_status" ? "View order" : "Review and pay" }];
    case "voice_call":
      return [{ icon: "call", label: label("Call now") }];
    default:
      return [];
  }
}

/** The catalogue and the products that a message names. */
function productsOf(action: JsonObject | undefined): { catalog: string; products: string[] } {
  const single = getText(action, "product_retailer_id");
  const listed = objectsIn(action, "sections")
    .flatMap((section) => objectsIn(section, "product_items"))
    .map((item) => getText(item, "product_retailer_id"));
  const products = [single, ...listed].filter((id) => id !== undefined);
  return { catalog: getText(action, "catalog_id") ?? "194836987003835", products };
}

/** Whatever is tapped under a message quotes it. */
function answering(message: Message, { send }: Acts): Act {
  return (inbound) => send({ reply_to: message.id, ...inbound });
}

function templateOffers(state: State, content: JsonObject, acts: Acts): Offer[] {
  const template = templateOf(state, content);
  const definition = template?.components.find((part) => part["type"] === "BUTTONS");
  const offers = buttonOffers(asObject(definition), content, acts.send);
  if (template?.category !== "MARKETING") return offers;
  return [
    ...offers,
    { icon: "bell", label: "Stop promotions", tap: () => void acts.change({ optedOut: true }) },
  ];
}

/** The buttons of a template, or of one card of it, with what this message puts into them. */
function buttonOffers(definition: JsonObject | undefined, content: JsonObject, act: Act): Offer[] {
  const given = objectsIn(content, "components").filter(
    (part) => getText(part, "type")?.toLowerCase() === "button",
  );
  return objectsIn(definition, "buttons").map((one, index): Offer => {
    const label = getText(one, "text") ?? "";
    const own = given.find((part) => getNumber(part, "index") === index);
    const parameter = objectsIn(own, "parameters")[0];
    switch (getText(one, "type")) {
      case "QUICK_REPLY":
        return {
          icon: "reply",
          label,
          tap: () =>
            void act({ type: "button", text: label, payload: getText(parameter, "payload") ?? label }),
        };
      case "URL":
        return { icon: "link", label, href: filled(getText(one, "url") ?? "", own) };
      case "PHONE_NUMBER":
        return { icon: "call", label, href: `tel:${getText(one, "phone_number") ?? ""}` };
      case "COPY_CODE":
      case "OTP": {
        const code =
          getText(parameter, "coupon_code") ?? getText(parameter, "text") ?? getText(one, "example") ?? "";
        return {
          icon: "copy",
          label: label || "Copy code",
          tap: () => void navigator.clipboard.writeText(code),
        };
      }
      case "FLOW": {
        const token = getText(getObject(parameter, "action"), "flow_token");
        return { icon: "form", label, tap: () => void forms.completeFlow(label, token, act) };
      }
      case "CATALOG":
      case "MPM":
      case "SPM":
        return {
          icon: "bag",
          label: label || "View catalogue",
          tap: () => void forms.sendOrder(productsOf(getObject(parameter, "action")), act),
        };
      case "REQUEST_CONTACT_INFO":
        return {
          icon: "person",
          label: label || "Share contact info",
          tap: () => void forms.shareContactInfo(act),
        };
      default:
        return { icon: "call", label: label || "Call" };
    }
  });
}

/** Cards side by side: those of a free-form carousel or of a template. */
export function carousel(
  state: State,
  message: Message,
  content: JsonObject,
  acts: Acts,
  header: (content: JsonObject, type: string) => HTMLElement,
): HTMLElement | null {
  const answer = answering(message, acts);
  const cards =
    message.type === "template" ? templateCards(state, content, answer) : freeCards(content, answer);
  if (cards.length === 0) return null;
  const made = cards.map(({ media, text, offers }) =>
    element(
      "li",
      {},
      media !== undefined && header(media.file, media.type),
      text !== "" && richText(text),
      offers.length > 0 && offerList(offers),
    ),
  );
  return element("ul", { class: "carousel", tabindex: 0, "aria-label": "Cards" }, ...made);
}

interface Card {
  readonly media: { readonly type: string; readonly file: JsonObject } | undefined;
  readonly text: string;
  readonly offers: readonly Offer[];
}

function freeCards(content: JsonObject, act: Act): Card[] {
  return objectsIn(getObject(content, "action"), "cards").map((card) => ({
    media: mediaOf(getObject(card, "header")),
    text: getText(getObject(card, "body"), "text") ?? "",
    offers: interactiveOffers({ type: getText(card, "type") ?? "cta_url", action: get(card, "action") }, act),
  }));
}

function templateCards(state: State, content: JsonObject, act: Act): Card[] {
  const definition = templateOf(state, content)?.components.find((part) => part["type"] === "CAROUSEL");
  const definitions = objectsIn(asObject(definition), "cards");
  return objectsIn(componentOf(content, "carousel"), "cards").map((card, index) => {
    const parts = objectsIn(definitions[getNumber(card, "card_index") ?? index], "components");
    const text =
      getText(
        parts.find((part) => get(part, "type") === "BODY"),
        "text",
      ) ?? "";
    return {
      media: mediaOf(asObject(getArray(componentOf(card, "header"), "parameters")?.[0])),
      text: filled(text, componentOf(card, "body")),
      offers: buttonOffers(
        parts.find((part) => get(part, "type") === "BUTTONS"),
        card,
        act,
      ),
    };
  });
}

/** The file of a header, which stands under the key of its type. */
export function mediaOf(header: JsonObject | undefined): { type: string; file: JsonObject } | undefined {
  const type = getText(header, "type")?.toLowerCase() ?? "";
  const file = getObject(header, type);
  return file === undefined || type === "text" ? undefined : { type, file };
}

/** What an order of the business costs, where it says so. */
export function orderTotal(content: JsonObject): string | null {
  const parameters = getObject(getObject(content, "action"), "parameters");
  const total = getObject(parameters, "total_amount");
  const value = getNumber(total, "value");
  if (value === undefined) return null;
  return money(value / (getNumber(total, "offset") ?? 100), getText(parameters, "currency"));
}
