import { asObject, getArray, getNumber, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import { element } from "./dom";
import { hashTo, initials, phoneNumber, plural } from "./format";
import { drawing, icon, path } from "./icons";
import { cardName, objectsIn, typeName } from "./message-text";

/** A place with a drawing of a map; the streets are made up, since no map is asked for. */
export function locationCard(content: JsonObject): HTMLElement {
  const latitude = getNumber(content, "latitude") ?? 0;
  const longitude = getNumber(content, "longitude") ?? 0;
  const position = `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`;
  const name = getText(content, "name");
  return element(
    "div",
    { class: "place" },
    map(position),
    element("strong", {}, name ?? "Location"),
    element("small", {}, getText(content, "address") ?? position),
  );
}

function map(seed: string): SVGSVGElement {
  const svg = drawing(260, 130, "map");
  const at = (name: string, count: number) => hashTo(`${seed} ${name}`, count);
  svg.append(path(`M0 ${30 + at("park", 20)}h${70 + at("width", 40)}v48h-${70 + at("width", 40)}z`, "park"));
  svg.append(
    path(`M-10 ${100 + at("shore", 20)}q90 -${30 + at("bend", 25)} 150 10t140 -14v60h-290z`, "water"),
  );
  for (let street = 0; street < 5; street++) {
    const x = 20 + street * 56 + at(`x${street}`, 24);
    const y = 8 + street * 27 + at(`y${street}`, 12);
    svg.append(path(`M${x} -5L${x + at(`lean${street}`, 30) - 15} 135`, "street"));
    svg.append(path(`M-5 ${y}L265 ${y + at(`fall${street}`, 20) - 10}`, "street"));
  }
  svg.append(
    path("M130 84s17-15 17-29a17 17 0 0 0-34 0c0 14 17 29 17 29z", "marker"),
    path("M130 49a6 6 0 1 0 .01 0z", "hole"),
  );
  return svg;
}

/** Contact cards, each with what is known of the person. */
export function contactCards(cards: readonly unknown[]): HTMLElement {
  return element("div", { class: "cards" }, ...cards.map((card) => contactCard(asObject(card))));
}

function contactCard(card: JsonObject | undefined): HTMLElement {
  const lines = [
    ...objectsIn(card, "phones").map((phone) => phoneNumber(getText(phone, "phone") ?? "")),
    ...objectsIn(card, "emails").map((email) => getText(email, "email")),
    getText(getObject(card, "org"), "company"),
  ].filter(Boolean);
  const name = cardName(card);
  return element(
    "div",
    { class: "contact" },
    element(
      "span",
      { class: "avatar", "data-hue": hashTo(name, 8), "aria-hidden": "true" },
      initials(name) || icon("person"),
    ),
    element("span", {}, element("strong", {}, name), element("small", {}, lines.join(" · "))),
  );
}

/** A basket with its items and its sum. */
export function orderCard(content: JsonObject): HTMLElement {
  const items = objectsIn(content, "product_items");
  const quantityOf = (item: JsonObject) => getNumber(item, "quantity") ?? 1;
  const count = items.reduce((sum, item) => sum + quantityOf(item), 0);
  const total = items.reduce((sum, item) => sum + quantityOf(item) * (getNumber(item, "item_price") ?? 0), 0);
  const rows = items.map((item) =>
    element(
      "li",
      {},
      element("span", {}, `${quantityOf(item)} × ${getText(item, "product_retailer_id") ?? ""}`),
      element("span", {}, money(getNumber(item, "item_price") ?? 0, getText(item, "currency"))),
    ),
  );
  const currency = getText(items[0], "currency");
  return element(
    "div",
    { class: "order" },
    element(
      "div",
      { class: "file" },
      icon("bag"),
      element("span", {}, plural(count, "item"), element("small", {}, `${money(total, currency)} in all`)),
    ),
    element("ul", {}, ...rows),
  );
}

export function money(amount: number, currency: string | undefined): string {
  return `${amount.toFixed(2)} ${currency ?? ""}`.trim();
}

/** What a person has sent back from a form. */
export function formAnswer(reply: JsonObject): HTMLElement {
  const values = Object.entries(asObject(parse(getText(reply, "response_json") ?? "")) ?? {});
  const rows = values
    .filter(([key]) => key !== "flow_token")
    .map(([key, value]) =>
      element(
        "div",
        {},
        element("dt", {}, key.replaceAll("_", " ")),
        element("dd", {}, typeof value === "string" ? value : JSON.stringify(value)),
      ),
    );
  return element(
    "div",
    { class: "form-answer" },
    element(
      "div",
      { class: "file" },
      icon("form"),
      element("span", {}, "Response sent", element("small", {}, getText(reply, "body") ?? "")),
    ),
    rows.length > 0 && element("dl", {}, ...rows),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // An answer need not be JSON; the log has it as it is.
    return null;
  }
}

/** A message that WhatsApp does not hand over, or that the page has no picture for. */
export function unknownCard(type: string): HTMLElement {
  const what =
    type === "unsupported" ? "A message that the Cloud API does not hand over" : `${typeName(type)} message`;
  return element("div", { class: "file unknown" }, icon("warning"), element("span", {}, what));
}

/** Where the person came from: the advertisement that was tapped. */
export function referralCard(referral: JsonObject): HTMLElement {
  return element(
    "div",
    { class: "referral" },
    element(
      "span",
      { class: "source" },
      icon("megaphone"),
      getText(referral, "source_type") === "post" ? "From a post" : "From an ad",
    ),
    element("strong", {}, getText(referral, "headline") ?? getText(referral, "source_url") ?? ""),
    element("small", {}, getText(referral, "body") ?? ""),
  );
}

/** The contacts of a message, whose content is a list. */
export function cardsOf(content: unknown): readonly unknown[] {
  return getArray({ content }, "content") ?? [];
}
