import { asObject, get, getArray, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { Simulation } from "../simulation";
import { actionNamed, linkProblem } from "./action-rules";
import { type GraphFailure, invalid, missing } from "./graph-error";
import { at, fileProblem, firstProblem, limited, required } from "./message-checks";

/** Meta: "Multi-product messages", "Interactive media carousel". */
const SECTIONS_MAX = 10;
const PRODUCTS_MAX = 30;
const SECTION_TITLE_CHARACTERS_MAX = 24;
const CARDS_MIN = 2;
const CARDS_MAX = 10;
const CARD_BODY_CHARACTERS_MAX = 160;

const ACTION = "interactive['action']";

export function productProblem(action: JsonObject): GraphFailure | null {
  return required(action, ACTION, ["catalog_id", "product_retailer_id"]);
}

export function productListProblem(action: JsonObject): GraphFailure | null {
  const lacking = required(action, ACTION, ["catalog_id"]);
  if (lacking !== null) return lacking;
  const sections = (getArray(action, "sections") ?? []).map(asObject);
  if (sections.length < 1 || sections.length > SECTIONS_MAX) {
    return invalid(`Sections count invalid. Min: 1, Max: ${SECTIONS_MAX}.`);
  }
  const path = at(ACTION, "sections");
  const wrongTitle = firstProblem(sections, (section, index) =>
    sections.length > 1 && getText(section, "title") === undefined
      ? missing(at(at(path, index), "title"))
      : limited(section, at(path, index), "title", SECTION_TITLE_CHARACTERS_MAX),
  );
  if (wrongTitle !== null) return wrongTitle;
  const products = sections.flatMap((section) => getArray(section, "product_items") ?? []).map(asObject);
  if (products.length < 1 || products.length > PRODUCTS_MAX) {
    return invalid(`A list has 1 to ${PRODUCTS_MAX} products.`);
  }
  return firstProblem(products, (product) => required(product, path, ["product_retailer_id"]));
}

export function catalogProblem(action: JsonObject): GraphFailure | null {
  return actionNamed(action, "catalog_message");
}

/** Cards with a picture or a film and a link, or with a product. */
export function cardsProblem(action: JsonObject, simulation: Simulation): GraphFailure | null {
  const cards = (getArray(action, "cards") ?? []).map(asObject);
  if (cards.length < CARDS_MIN || cards.length > CARDS_MAX) {
    return invalid(`A carousel has ${CARDS_MIN} to ${CARDS_MAX} cards.`);
  }
  const indexes = cards.map((card) => Number(get(card, "card_index")));
  if (indexes.some((value, position) => value !== position)) {
    return invalid("The card_index of the cards must count from 0.");
  }
  return firstProblem(cards, (card, index) => cardProblem(card, at(at(ACTION, "cards"), index), simulation));
}

function cardProblem(
  card: JsonObject | undefined,
  path: string,
  simulation: Simulation,
): GraphFailure | null {
  const action = getObject(card, "action");
  if (action === undefined) return missing(at(path, "action"));
  switch (getText(card, "type")) {
    case "product":
      return required(action, at(path, "action"), ["catalog_id", "product_retailer_id"]);
    case "cta_url": {
      const header = getObject(card, "header");
      const media = getText(header, "type");
      if (media !== "image" && media !== "video")
        return invalid("The header of a card is an image or a video.");
      return (
        fileProblem(simulation, getObject(header, media), at(at(path, "header"), media)) ??
        limited(getObject(card, "body"), at(path, "body"), "text", CARD_BODY_CHARACTERS_MAX) ??
        linkProblem(action)
      );
    }
    default:
      return invalid("The type of a card is cta_url or product.");
  }
}
