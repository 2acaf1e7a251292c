import { countCharacters } from "#shared/text";
import { asObject, get, getArray, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { Simulation } from "../simulation";
import type { Template } from "../world";
import { type GraphFailure, invalidParameter, missing } from "./graph-error";
import { at, firstProblem } from "./message-checks";
import { buttonsSendProblem, indexOf } from "./template-button-rules";
import {
  countMismatch,
  formatMismatch,
  headerParameterProblem,
  mediaFormats,
  parametersProblem,
  placesOf,
} from "./template-parameter-rules";

/** Meta: the text of a body, filled in, has at most so many characters (132005). */
const BODY_CHARACTERS_MAX = 1024;

/** Kinds of components that a message may have; what was approved decides which of them it needs. */
const SENDABLE: ReadonlySet<string> = new Set([
  "HEADER",
  "BODY",
  "FOOTER",
  "BUTTON",
  "CAROUSEL",
  "LIMITED_TIME_OFFER",
  "TAP_TARGET_CONFIGURATION",
  "ORDER_STATUS",
]);

const PATH = "template['components']";

/** Compares what is sent with what was approved; the first difference as Meta's failure, or null. */
export function componentsSendProblem(
  simulation: Simulation,
  template: Template,
  given: readonly unknown[],
): GraphFailure | null {
  const components = given.map(asObject);
  const unknown = components.findIndex((component) => !SENDABLE.has(typeOf(component)));
  if (unknown !== -1) {
    return invalidParameter(
      `Param ${at(at(PATH, unknown), "type")} must be one of {${[...SENDABLE].join(", ")}}.`,
    );
  }
  const defined = template.components.map(asObject);
  return (
    headerProblem(simulation, template, ofType(defined, "HEADER"), ofType(components, "HEADER")) ??
    bodyProblem(template, ofType(defined, "BODY"), ofType(components, "BODY")) ??
    offerProblem(ofType(defined, "LIMITED_TIME_OFFER"), ofType(components, "LIMITED_TIME_OFFER")) ??
    buttonsSendProblem(
      getArray(ofType(defined, "BUTTONS"), "buttons") ?? [],
      components.filter((component) => typeOf(component) === "BUTTON"),
      codeOf(template, components),
    ) ??
    carouselProblem(simulation, template, ofType(defined, "CAROUSEL"), ofType(components, "CAROUSEL"))
  );
}

const typeOf = (part: JsonObject | undefined): string => (getText(part, "type") ?? "").toUpperCase();
const ofType = (parts: readonly (JsonObject | undefined)[], type: string): JsonObject | undefined =>
  parts.find((part) => typeOf(part) === type);
const parametersOf = (component: JsonObject | undefined): readonly (JsonObject | undefined)[] =>
  (getArray(component, "parameters") ?? []).map(asObject);

function headerProblem(
  simulation: Simulation,
  template: Template,
  defined: JsonObject | undefined,
  given: JsonObject | undefined,
): GraphFailure | null {
  const format = (getText(defined, "format") ?? "TEXT").toUpperCase();
  const parameters = parametersOf(given);
  if (defined === undefined || format === "TEXT") {
    const places = placesOf(getText(defined, "text") ?? "");
    return (
      countMismatch("header", parameters.length, places.length) ??
      parametersProblem(template, "header", parameters, places)
    );
  }
  if (!mediaFormats.has(format)) return null;
  const [parameter] = parameters;
  if (parameter === undefined || typeOf(parameter) !== format) {
    return formatMismatch(
      `header: Format mismatch, expected ${format}, received ${typeOf(parameter) || "UNKNOWN"}`,
    );
  }
  return headerParameterProblem(simulation, parameter, format.toLowerCase());
}

function bodyProblem(
  template: Template,
  defined: JsonObject | undefined,
  given: JsonObject | undefined,
): GraphFailure | null {
  const parameters = parametersOf(given);
  // The text of an authentication template is Meta's own, and its one place is the code.
  const text = template.category === "AUTHENTICATION" ? "{{1}}" : (getText(defined, "text") ?? "");
  const places = placesOf(text);
  const wrong =
    countMismatch("body", parameters.length, places.length) ??
    parametersProblem(template, "body", parameters, places);
  if (wrong !== null) return wrong;
  const fixed = countCharacters(text.replace(/\{\{[^{}]*\}\}/g, ""));
  const filled = parameters.reduce(
    (sum, parameter) => sum + countCharacters(getText(parameter, "text") ?? ""),
    fixed,
  );
  if (filled <= BODY_CHARACTERS_MAX) return null;
  return {
    status: 400,
    code: 132005,
    message: "(#132005) Translated text too long",
    details: `body: the filled-in text has ${filled} of at most ${BODY_CHARACTERS_MAX} characters`,
  };
}

function offerProblem(defined: JsonObject | undefined, given: JsonObject | undefined): GraphFailure | null {
  const offer = getObject(defined, "limited_time_offer");
  if (defined === undefined || get(offer, "has_expiration") === false) return null;
  const expires = get(getObject(parametersOf(given)[0], "limited_time_offer"), "expiration_time_ms");
  if (expires === undefined) return missing("limited_time_offer['expiration_time_ms']");
  return Number.isSafeInteger(Number(expires))
    ? null
    : formatMismatch("limited_time_offer: expiration_time_ms must be a time in milliseconds");
}

function carouselProblem(
  simulation: Simulation,
  template: Template,
  defined: JsonObject | undefined,
  given: JsonObject | undefined,
): GraphFailure | null {
  const definedCards = (getArray(defined, "cards") ?? []).map(asObject);
  const cards = (getArray(given, "cards") ?? []).map(asObject);
  if (cards.length !== definedCards.length) {
    return countMismatch("carousel", cards.length, definedCards.length);
  }
  const indexes = new Set(cards.map((card) => indexOf(card, "card_index")));
  if (cards.some((_, index) => !indexes.has(index))) {
    return formatMismatch("carousel: the card_index of the cards must count from 0");
  }
  return firstProblem(cards, (card) => {
    const components = (getArray(definedCards[indexOf(card, "card_index")], "components") ?? []).map(
      (component) => ({ ...asObject(component) }),
    );
    const asTemplate = { ...template, components };
    return componentsSendProblem(simulation, asTemplate, getArray(card, "components") ?? []);
  });
}

/** The code that an authentication template carries, which its button has to carry, too. */
function codeOf(template: Template, components: readonly (JsonObject | undefined)[]): string | null {
  if (template.category !== "AUTHENTICATION") return null;
  return getText(parametersOf(ofType(components, "BODY"))[0], "text") ?? "";
}
