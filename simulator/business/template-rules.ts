import { countCharacters } from "#shared/text";
import { asObject, get, getArray, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { GraphFailure } from "../graph/graph-error";

/** Limits of a new template (Meta: "Template components", "Template guidelines"). */
const NAME_FORM = /^[a-z0-9_]{1,512}$/;
const LANGUAGE_FORM = /^[a-z]{2,3}([_-][A-Za-z]{2,4})?$/;
const HEADER_CHARACTERS_MAX = 60;
const BODY_CHARACTERS_MAX = 1024;
const FOOTER_CHARACTERS_MAX = 60;
const BUTTON_CHARACTERS_MAX = 25;
const URL_CHARACTERS_MAX = 2000;
const PHONE_CHARACTERS_MAX = 20;
const CODE_CHARACTERS_MAX = 15;
const BUTTONS_MAX = 10;
const URL_BUTTONS_MAX = 2;
const CARDS_MIN = 2;
const CARDS_MAX = 10;
const CARD_BODY_CHARACTERS_MAX = 160;
/** Fewest other words for each place; with fewer Meta calls the text too short for its parameters. */
const WORDS_PER_PLACE = 1;

export const CATEGORIES = ["MARKETING", "UTILITY", "AUTHENTICATION"] as const;
export type Category = (typeof CATEGORIES)[number];

/** Meta refuses templates with code 100 and one of these subcodes, with a sentence for the person. */
function refusal(subcode: number, title: string, reason: string): GraphFailure {
  return {
    status: 400,
    code: 100,
    subcode,
    message: "Invalid parameter",
    userTitle: title,
    userMessage: reason,
  };
}

const badFormat = (reason: string) =>
  refusal(2388072, "Message template components param is not valid", reason);

/** The first thing that is wrong with a template that somebody wants to create, or null. */
export function templateProblem(body: JsonObject): GraphFailure | null {
  const name = getText(body, "name") ?? "";
  const language = getText(body, "language") ?? "";
  const category = (getText(body, "category") ?? "").toUpperCase();
  if (!NAME_FORM.test(name)) {
    return refusal(
      2388047,
      "Name is not valid",
      "The name can only have lowercase letters, digits and underscores.",
    );
  }
  if (!LANGUAGE_FORM.test(language))
    return refusal(2388039, "Language is not supported", "The language is not one of the supported ones.");
  if (!CATEGORIES.some((known) => known === category))
    return refusal(2388040, "Category is not valid", `The category must be one of ${CATEGORIES.join(", ")}.`);
  return componentsProblem(getArray(body, "components"), category === "AUTHENTICATION");
}

/** The first thing that is wrong with the components, or null. */
export function componentsProblem(
  components: readonly unknown[] | undefined,
  isAuthentication: boolean,
): GraphFailure | null {
  if (components === undefined || components.length === 0) return badFormat("Components are missing.");
  const parts = components.map(asObject);
  const ofType = (type: string) => parts.filter((part) => typeOf(part) === type);
  const twice = ["HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL"].find((type) => ofType(type).length > 1);
  if (twice !== undefined) return badFormat(`There can be one component of type ${twice}.`);
  const [body] = ofType("BODY");
  if (body === undefined) return badFormat("A component of type BODY is needed.");
  // The text of an authentication template is Meta's own.
  if (isAuthentication) return null;
  return (
    headerProblem(ofType("HEADER")[0]) ??
    textProblem(body, "BODY", BODY_CHARACTERS_MAX, "body_text") ??
    footerProblem(ofType("FOOTER")[0]) ??
    buttonsProblem(ofType("BUTTONS")[0]) ??
    carouselProblem(ofType("CAROUSEL")[0])
  );
}

/** Meta: "Media card carousel templates": cards of one make, each with a picture or a film. */
function carouselProblem(carousel: JsonObject | undefined): GraphFailure | null {
  if (carousel === undefined) return null;
  const cards = (getArray(carousel, "cards") ?? []).map((card) =>
    (getArray(asObject(card), "components") ?? []).map(asObject),
  );
  if (cards.length < CARDS_MIN || cards.length > CARDS_MAX) {
    return badFormat(`A carousel has ${CARDS_MIN} to ${CARDS_MAX} cards.`);
  }
  const makes = cards.map((parts) => parts.map(typeOf).sort().join(" "));
  if (makes.some((make) => make !== makes[0])) return badFormat("All cards need the same components.");
  for (const parts of cards) {
    const ofType = (type: string) => parts.find((part) => typeOf(part) === type);
    const header = ofType("HEADER");
    if (!["IMAGE", "VIDEO", "PRODUCT"].includes((getText(header, "format") ?? "").toUpperCase())) {
      return badFormat("Each card needs a header with an image, a video or a product.");
    }
    const body = ofType("BODY");
    const problem =
      headerProblem(header) ??
      (body === undefined ? null : textProblem(body, "BODY", CARD_BODY_CHARACTERS_MAX, "body_text")) ??
      buttonsProblem(ofType("BUTTONS"));
    if (problem !== null) return problem;
  }
  return null;
}

const typeOf = (part: JsonObject | undefined): string => (getText(part, "type") ?? "").toUpperCase();

function headerProblem(header: JsonObject | undefined): GraphFailure | null {
  if (header === undefined) return null;
  const format = (getText(header, "format") ?? "").toUpperCase();
  if (format === "TEXT") {
    const places = placesOf(getText(header, "text") ?? "");
    if (places.length > 1) return badFormat("A header has one variable at most.");
    return textProblem(header, "HEADER", HEADER_CHARACTERS_MAX, "header_text");
  }
  if (format === "LOCATION" || format === "PRODUCT") return null;
  if (!["IMAGE", "VIDEO", "DOCUMENT", "GIF"].includes(format))
    return badFormat("The format of the header is not known.");
  const handle = getArray(getObject(header, "example"), "header_handle")?.[0];
  return typeof handle === "string" && handle !== ""
    ? null
    : refusal(2388273, "A sample is missing", "A header with media needs the handle of an uploaded sample.");
}

const placesOf = (text: string): string[] =>
  [...text.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)].map(([, name = ""]) => name);

function textProblem(
  part: JsonObject,
  type: string,
  charactersMax: number,
  exampleKey: string,
): GraphFailure | null {
  const text = getText(part, "text") ?? "";
  if (text.trim() === "") return badFormat(`The text of ${type} is missing.`);
  if (countCharacters(text) > charactersMax) {
    return refusal(
      2388073,
      "The text is too long",
      `The text of ${type} has at most ${charactersMax} characters.`,
    );
  }
  const places = placesOf(text);
  if (places.length === 0) return null;
  const named = places.some((name) => /[^\d]/.test(name));
  if (named && places.some((name) => !/^[a-z][a-z0-9_]*$/.test(name))) {
    return badFormat("Names of variables have lowercase letters, digits and underscores.");
  }
  const distinct = [...new Set(places)];
  if (!named && distinct.some((name, index) => name !== String(index + 1))) {
    return badFormat("Variables must be numbered in order, from {{1}}.");
  }
  if (type === "BODY") {
    if (/^\s*\{\{|\}\}\s*$/.test(text))
      return refusal(
        2388299,
        "Variables are at an end of the text",
        "Variables can't be at the start or end of the template.",
      );
    if (/\}\}\s*\{\{/.test(text)) return badFormat("Two variables can't stand next to each other.");
    const words = text
      .replace(/\{\{[^{}]*\}\}/g, " ")
      .split(/\s+/)
      .filter((word) => /[\p{L}\p{N}]/u.test(word));
    if (words.length < distinct.length * WORDS_PER_PLACE) {
      return refusal(2388293, "Too many variables", "The text has too many variables for its length.");
    }
  }
  return exampleProblem(getObject(part, "example"), exampleKey, named, distinct);
}

/** Every place needs an example, in the shape of its kind. */
function exampleProblem(
  example: JsonObject | undefined,
  key: string,
  named: boolean,
  places: readonly string[],
): GraphFailure | null {
  const missing = refusal(2388043, "A sample is missing", "Each variable needs a sample value.");
  if (named) {
    const pairs = (getArray(example, `${key}_named_params`) ?? []).map(asObject);
    const has = (name: string) =>
      pairs.some((pair) => getText(pair, "param_name") === name && (getText(pair, "example") ?? "") !== "");
    return places.every(has) ? null : missing;
  }
  const list = getArray(example, key) ?? [];
  const values = Array.isArray(list[0]) ? list[0] : list;
  return values.length >= places.length &&
    values.every((value: unknown) => typeof value === "string" && value !== "")
    ? null
    : missing;
}

function footerProblem(footer: JsonObject | undefined): GraphFailure | null {
  if (footer === undefined) return null;
  const text = getText(footer, "text") ?? "";
  if (text.trim() === "") return badFormat("The text of FOOTER is missing.");
  if (placesOf(text).length > 0) return badFormat("A footer has no variables.");
  return countCharacters(text) > FOOTER_CHARACTERS_MAX
    ? refusal(
        2388073,
        "The text is too long",
        `The text of FOOTER has at most ${FOOTER_CHARACTERS_MAX} characters.`,
      )
    : null;
}

function buttonsProblem(component: JsonObject | undefined): GraphFailure | null {
  if (component === undefined) return null;
  const buttons = (getArray(component, "buttons") ?? []).map(asObject);
  if (buttons.length < 1 || buttons.length > BUTTONS_MAX)
    return badFormat(`A template has 1 to ${BUTTONS_MAX} buttons.`);
  const types = buttons.map(typeOf);
  const count = (type: string) => types.filter((known) => known === type).length;
  if (count("URL") > URL_BUTTONS_MAX)
    return badFormat(`A template has at most ${URL_BUTTONS_MAX} link buttons.`);
  if (count("PHONE_NUMBER") > 1) return badFormat("A template has one phone button at most.");
  if (count("COPY_CODE") > 1) return badFormat("A template has one code button at most.");
  const isReply = types.map((type) => type === "QUICK_REPLY");
  const changes = isReply.filter((reply, index) => index > 0 && reply !== isReply[index - 1]).length;
  if (changes > 1) return badFormat("Quick reply buttons must be grouped together.");
  for (const button of buttons) {
    const problem = buttonProblem(button);
    if (problem !== null) return problem;
  }
  return null;
}

function buttonProblem(button: JsonObject | undefined): GraphFailure | null {
  const type = typeOf(button);
  const text = getText(button, "text") ?? "";
  if (type === "COPY_CODE") {
    const code = getText(button, "example") ?? String(getArray(button, "example")?.[0] ?? "");
    return code === "" || countCharacters(code) > CODE_CHARACTERS_MAX
      ? badFormat(`A code has 1 to ${CODE_CHARACTERS_MAX} characters.`)
      : null;
  }
  const labelled = ["QUICK_REPLY", "URL", "PHONE_NUMBER", "FLOW", "VOICE_CALL"].includes(type);
  if (!labelled)
    return ["OTP", "CATALOG", "MPM", "SPM", "REQUEST_CONTACT_INFO"].includes(type)
      ? null
      : badFormat("The type of the button is not known.");
  if (text.trim() === "" || countCharacters(text) > BUTTON_CHARACTERS_MAX)
    return badFormat(`The text of a button has 1 to ${BUTTON_CHARACTERS_MAX} characters.`);
  if (type === "PHONE_NUMBER") {
    const phone = getText(button, "phone_number") ?? "";
    return /^\+?[\d\s()-]+$/.test(phone) && phone.length <= PHONE_CHARACTERS_MAX
      ? null
      : badFormat("The phone number of a button is not valid.");
  }
  if (type !== "URL") return null;
  const url = getText(button, "url") ?? "";
  if (!/^https?:\/\/[^\s/{}]+/.test(url) || url.length > URL_CHARACTERS_MAX)
    return badFormat("The address of a button is not valid.");
  const hasPlace = /\{\{1\}\}/.test(url);
  if (hasPlace && !url.endsWith("{{1}}")) return badFormat("The variable of a link stands at its end.");
  return hasPlace && get(button, "example") === undefined
    ? refusal(2388043, "A sample is missing", "A link with a variable needs a sample.")
    : null;
}
