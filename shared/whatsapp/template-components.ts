import { asObject, get, getArray, getId, getObject, getText, getWord, type JsonObject } from "./json";
import {
  HEADER_MEDIA,
  type TemplateButton,
  type TemplateDefinition,
  type TemplateHeader,
} from "./template-definition";
import { requiresValue } from "./template-values";

/** One part of a template with its values, in Meta's own shape. */
export type TemplateComponent =
  | {
      readonly type: "header" | "body" | "button" | "limited_time_offer";
      readonly sub_type?: string;
      readonly index?: string;
      readonly parameters: readonly Readonly<Record<string, unknown>>[];
    }
  | { readonly type: "carousel"; readonly cards: readonly object[] };

/** What Meta would answer to components that do not fit: its code and what is wrong, in our words. */
export interface TemplateMismatch {
  /** Meta: 132000 counts, 132012 kinds, 132018 the rest. */
  readonly code: 132000 | 132012 | 132018;
  readonly field: string;
  readonly problem: string;
}

/**
 * Checks components that somebody built by hand against the template, as Meta does before it accepts a message; null
 * when they fit. Never throws, whatever JSON the components are.
 */
export function checkTemplateComponents(
  template: TemplateDefinition,
  components: unknown,
): TemplateMismatch | null {
  const given = (Array.isArray(components) ? components : []).map(asObject);
  const ofType = (type: string) =>
    given.filter((component) => getWord(component, "type")?.toLowerCase() === type);
  return (
    checkHeader(template.header, ofType("header")[0], "header") ??
    checkText(template.body?.variables ?? [], ofType("body")[0], "body") ??
    checkButtons(template.buttons, ofType("button"), "button") ??
    checkCards(template, ofType("carousel")[0]) ??
    checkOffer(template, ofType("limited_time_offer")[0])
  );
}

const mismatch = (code: TemplateMismatch["code"], field: string, problem: string): TemplateMismatch => ({
  code,
  field,
  problem,
});

const parametersOf = (component: JsonObject | undefined): (JsonObject | undefined)[] =>
  (getArray(component, "parameters") ?? []).map(asObject);

function checkHeader(
  header: TemplateHeader | undefined,
  component: JsonObject | undefined,
  field: string,
): TemplateMismatch | null {
  if (header === undefined || header.format === "text") {
    return checkText(header?.variables ?? [], component, field);
  }
  const [parameter] = parametersOf(component);
  const wanted = header.format === "gif" ? "video" : header.format;
  if (parameter === undefined || getWord(parameter, "type")?.toLowerCase() !== wanted) {
    return mismatch(132012, field, `The header needs a parameter of type ${wanted}.`);
  }
  if (!HEADER_MEDIA.some((format) => format === header.format)) return null;
  const media = getObject(parameter, wanted);
  const hasSource = getId(media, "id") !== undefined || getWord(media, "link") !== undefined;
  return hasSource ? null : mismatch(132012, field, `The ${wanted} needs an id or a link.`);
}

/** Text, currency and date parameters fill a place of a text; nothing else does. */
const TEXT_TYPES = ["text", "currency", "date_time"];

function checkText(
  variables: readonly { readonly name: string }[],
  component: JsonObject | undefined,
  field: string,
): TemplateMismatch | null {
  const parameters = parametersOf(component);
  if (parameters.length !== variables.length) {
    return mismatch(132000, field, `${variables.length} values are needed, ${parameters.length} were given.`);
  }
  const named = variables.some(({ name }) => /\D/.test(name));
  for (const [index, parameter] of parameters.entries()) {
    const at = `${field}.parameters[${index}]`;
    const type = getWord(parameter, "type")?.toLowerCase() ?? "";
    if (!TEXT_TYPES.includes(type)) return mismatch(132012, at, "The value is not a text.");
    const text =
      type === "text" ? getText(parameter, "text") : getWord(getObject(parameter, type), "fallback_value");
    if (text === undefined || text === "") return mismatch(132012, at, "The value is empty.");
    const name = getWord(parameter, "parameter_name");
    if (named && !variables.some((variable) => variable.name === name)) {
      return mismatch(132012, at, "The template has no place of that name.");
    }
  }
  const names = new Set(parameters.map((parameter) => getWord(parameter, "parameter_name")));
  return named && names.size !== variables.length
    ? mismatch(132000, field, "Each named place needs a value of its own.")
    : null;
}

function checkButtons(
  buttons: readonly TemplateButton[],
  components: readonly (JsonObject | undefined)[],
  field: string,
): TemplateMismatch | null {
  const given = new Map(
    components.map((component) => [String(get(component, "index") ?? ""), component] as const),
  );
  for (const [index, component] of given) {
    const button = /^\d+$/.test(index) ? buttons[Number(index)] : undefined;
    if (button === undefined)
      return mismatch(132018, `${field}[${index}]`, "The template has no such button.");
    const subType = getWord(component, "sub_type")?.toLowerCase();
    if (subType !== subTypeOf(button)) {
      return mismatch(132018, `${field}[${index}]`, `The button is of type ${subTypeOf(button)}.`);
    }
  }
  for (const [index, button] of buttons.entries()) {
    const [parameter] = parametersOf(given.get(String(index)));
    if ((requiresValue(button) || button.type === "otp") && parameter === undefined) {
      return mismatch(132018, `${field}[${index}]`, "The button needs a value.");
    }
  }
  return null;
}

/** One-time codes travel as the text of a link button (Meta: "Authentication templates"). */
function subTypeOf(button: TemplateButton): string {
  return button.type === "otp" ? "url" : button.type;
}

function checkCards(
  template: TemplateDefinition,
  component: JsonObject | undefined,
): TemplateMismatch | null {
  const cards = (getArray(component, "cards") ?? []).map(asObject);
  if (cards.length !== template.cards.length) {
    return mismatch(
      132000,
      "cards",
      `${template.cards.length} cards are needed, ${cards.length} were given.`,
    );
  }
  for (const [index, card] of template.cards.entries()) {
    const given = cards.find((json) => String(get(json, "card_index")) === String(index));
    const parts = (getArray(given, "components") ?? []).map(asObject);
    const part = (type: string) => parts.filter((json) => getWord(json, "type")?.toLowerCase() === type);
    const found =
      checkHeader(card.header, part("header")[0], `cards[${index}].header`) ??
      checkText(card.body?.variables ?? [], part("body")[0], `cards[${index}].body`) ??
      checkButtons(card.buttons, part("button"), `cards[${index}].button`);
    if (found !== null) return found;
  }
  return null;
}

function checkOffer(
  template: TemplateDefinition,
  component: JsonObject | undefined,
): TemplateMismatch | null {
  const [parameter] = parametersOf(component);
  const offer = getObject(parameter, "limited_time_offer");
  const expires = get(offer, "expiration_time_ms");
  const wanted = template.offer?.expires === true;
  if (wanted && typeof expires !== "number") {
    return mismatch(132012, "limited_time_offer", "The end of the offer is missing.");
  }
  return !wanted && component !== undefined
    ? mismatch(132018, "limited_time_offer", "The template has no offer that ends.")
    : null;
}
