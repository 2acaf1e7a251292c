import { countCharacters } from "#shared/text";
import {
  asObject,
  get,
  getArray,
  getNumber,
  getObject,
  getText,
  type JsonObject,
} from "#shared/whatsapp/json";
import { liveMedia } from "../handset/media-store";
import type { Simulation } from "../simulation";
import type { BusinessNumber, Template } from "../world";
import { type GraphFailure, invalid, invalidParameter, missing } from "./graph-error";

/**
 * What Meta checks before it accepts a message, with the code that it answers. Each rule gets the object under the
 * type's key; null means that the message is accepted (it may still fail later).
 */
type Rule = (content: JsonObject, simulation: Simulation, number: BusinessNumber) => GraphFailure | null;

const RULES: Readonly<Record<string, Rule>> = {
  text: (text) => required(text, "text", ["body"]) ?? limited(text, "text", "body", 4096),
  image: fileRule("image", { caption: 1024 }),
  video: fileRule("video", { caption: 1024 }),
  document: fileRule("document", { caption: 1024, filename: 1024 }),
  audio: fileRule("audio", {}),
  sticker: fileRule("sticker", {}),
  location: (location) => required(location, "location", ["latitude", "longitude"]) ?? onEarth(location),
  reaction: (reaction) =>
    required(reaction, "reaction", ["message_id"]) ??
    (typeof get(reaction, "emoji") === "string" ? null : missing("reaction['emoji']")),
  interactive: interactiveRule,
  template: templateRule,
};

/** Longest `biz_opaque_callback_data`. */
const CALLBACK_DATA_MAX = 512;
/** Most contact cards in one message. */
const CONTACTS_MAX = 257;

/** The first thing that is wrong with a message body whose recipient is known to be well formed, or null. */
export function checkMessage(
  body: JsonObject,
  simulation: Simulation,
  number: BusinessNumber,
): GraphFailure | null {
  const type = getText(body, "type") ?? "text";
  const callbackData = get(body, "biz_opaque_callback_data");
  if (
    callbackData !== undefined &&
    (typeof callbackData !== "string" || callbackData.length > CALLBACK_DATA_MAX)
  ) {
    return invalidParameter(
      `Param biz_opaque_callback_data must be at most ${CALLBACK_DATA_MAX} characters long.`,
    );
  }
  const context = get(body, "context");
  if (context !== undefined && typeof get(asObject(context), "message_id") !== "string") {
    return missing("context['message_id']");
  }
  if (context !== undefined && type === "reaction") return invalid("A reaction cannot quote a message.");
  if (type === "contacts") return checkContacts(body);
  const rule = Object.hasOwn(RULES, type) ? RULES[type] : undefined;
  if (rule === undefined) {
    const known = [...Object.keys(RULES), "contacts"].join(", ");
    return invalidParameter(`Param type must be one of {${known}} - got "${type.slice(0, 40)}".`);
  }
  const content = getObject(body, type);
  return content === undefined ? missing(type) : rule(content, simulation, number);
}

function required(content: JsonObject, type: string, keys: readonly string[]): GraphFailure | null {
  const absent = keys.find((key) => (getText(content, key) ?? "").trim() === "");
  return absent === undefined ? null : missing(`${type}['${absent}']`);
}

function limited(content: JsonObject, type: string, key: string, max: number): GraphFailure | null {
  const value = get(content, key);
  if (value === undefined) return null;
  if (typeof value !== "string") return invalidParameter(`Param ${type}['${key}'] must be a string.`);
  if (countCharacters(value) <= max) return null;
  return invalidParameter(`Param ${type}['${key}'] must be at most ${max} characters long.`);
}

function fileRule(type: string, texts: Readonly<Record<string, number>>): Rule {
  return (file, simulation) => {
    const id = getText(file, "id");
    const link = getText(file, "link");
    if (id === undefined && link === undefined) return missing(`${type}['id'] or ${type}['link']`);
    if (id !== undefined && liveMedia(simulation, id) === undefined) {
      return invalidParameter(
        `Param ${type}['id'] is not a valid whatsapp business account media attachment ID`,
      );
    }
    if (id === undefined && !/^https?:\/\/[^\s/]+/i.test(link ?? "")) {
      return invalidParameter(`Param ${type}['link'] is not a valid URI.`);
    }
    if (texts["caption"] === undefined && get(file, "caption") !== undefined) {
      return invalidParameter(`Unexpected key "caption" on param "${type}".`);
    }
    for (const [key, max] of Object.entries(texts)) {
      const failure = limited(file, type, key, max);
      if (failure !== null) return failure;
    }
    return null;
  };
}

function onEarth(location: JsonObject): GraphFailure | null {
  const latitude = getNumber(location, "latitude");
  const longitude = getNumber(location, "longitude");
  const possible =
    latitude !== undefined &&
    longitude !== undefined &&
    Math.abs(latitude) <= 90 &&
    Math.abs(longitude) <= 180;
  return possible ? null : invalid("The latitude or longitude is out of range.");
}

function checkContacts(body: JsonObject): GraphFailure | null {
  const cards = getArray(body, "contacts");
  if (cards === undefined || cards.length === 0) return missing("contacts");
  if (cards.length > CONTACTS_MAX)
    return invalidParameter(`Param contacts must have at most ${CONTACTS_MAX} items.`);
  const nameless = cards.some(
    (card) => getText(getObject(asObject(card), "name"), "formatted_name") === undefined,
  );
  return nameless ? missing("contacts['name']['formatted_name']") : null;
}

function interactiveRule(interactive: JsonObject): GraphFailure | null {
  const type = getText(interactive, "type");
  if (type === undefined) return missing("interactive['type']");
  const action = getObject(interactive, "action");
  if (action === undefined) return missing("interactive['action']");
  const body = getObject(interactive, "body");
  if (type === "button" || type === "list" || type === "cta_url") {
    if (body === undefined) return missing("interactive['body']");
    const failure =
      required(body, "interactive['body']", ["text"]) ??
      limited(body, "interactive['body']", "text", type === "list" ? 4096 : 1024);
    if (failure !== null) return failure;
  }
  if (type === "button") return checkButtons(getArray(action, "buttons"));
  if (type === "list") return checkSections(action);
  return null;
}

function checkButtons(buttons: readonly unknown[] | undefined): GraphFailure | null {
  if (buttons === undefined || buttons.length < 1 || buttons.length > 3) {
    return invalid("A message has one to three reply buttons.");
  }
  const replies = buttons.map((button) => getObject(asObject(button), "reply"));
  const ids = replies.map((reply) => getText(reply, "id") ?? "");
  if (ids.some((id) => id === "" || id.length > 256))
    return invalid("Each button needs an id of at most 256 characters.");
  if (new Set(ids).size < ids.length) return invalid("The ids of the buttons must differ.");
  const titles = replies.map((reply) => getText(reply, "title") ?? "");
  return titles.some((title) => title === "" || countCharacters(title) > 20)
    ? invalid("Each button needs a title of at most 20 characters.")
    : null;
}

function checkSections(action: JsonObject): GraphFailure | null {
  const failure =
    required(action, "interactive['action']", ["button"]) ?? limited(action, "action", "button", 20);
  if (failure !== null) return failure;
  const sections = getArray(action, "sections") ?? [];
  if (sections.length < 1 || sections.length > 10) return invalid("A list has one to ten sections.");
  const rows = sections.flatMap((section) => getArray(asObject(section), "rows") ?? []).map(asObject);
  if (rows.length < 1 || rows.length > 10) return invalid("A list has one to ten rows in all.");
  const untitled = sections.length > 1 && sections.some((section) => !getText(asObject(section), "title"));
  if (untitled) return missing("interactive['action']['sections']['title']");
  const wrong = rows.some((row) => {
    const title = getText(row, "title") ?? "";
    return !getText(row, "id") || title === "" || countCharacters(title) > 24;
  });
  return wrong ? invalid("Each row needs an id and a title of at most 24 characters.") : null;
}

function templateRule(
  template: JsonObject,
  simulation: Simulation,
  number: BusinessNumber,
): GraphFailure | null {
  const failure = required(template, "template", ["name"]);
  if (failure !== null) return failure;
  const language = getText(getObject(template, "language"), "code");
  if (language === undefined) return missing("template['language']['code']");
  const name = getText(template, "name") ?? "";
  const found = findTemplate(simulation, number, name, language);
  const problem = statusProblem(found?.status, name, language);
  if (problem !== null || found === undefined) return problem;
  return checkParameters(found, getArray(template, "components") ?? []);
}

/** Only an approved template can be sent (Meta: "Template status"); each other status has its code. */
function statusProblem(
  status: Template["status"] | undefined,
  name: string,
  language: string,
): GraphFailure | null {
  switch (status) {
    case "APPROVED":
      return null;
    case "PAUSED":
      return {
        status: 400,
        code: 132015,
        message: "(#132015) Template is paused",
        details: "The template is paused.",
      };
    case "DISABLED":
      return {
        status: 400,
        code: 132016,
        message: "(#132016) Template is disabled",
        details: "The template was paused too often.",
      };
    default:
      return {
        status: 404,
        code: 132001,
        message: "(#132001) Template name does not exist in the translation",
        details: `template name (${name.slice(0, 80)}) does not exist in ${language.slice(0, 20)}`,
      };
  }
}

export function findTemplate(
  simulation: Simulation,
  number: BusinessNumber,
  name: string,
  language: string,
): Template | undefined {
  return simulation.world.templates.find(
    (template) =>
      template.wabaId === number.wabaId && template.name === name && template.language === language,
  );
}

/** The number of body parameters must be that of the placeholders; a header with a file needs that file. */
function checkParameters(template: Template, components: readonly unknown[]): GraphFailure | null {
  const given = (type: string) =>
    components.map(asObject).find((component) => getText(component, "type")?.toLowerCase() === type);
  const body = template.components.find((component) => component["type"] === "BODY");
  const expected = new Set((getText(body, "text") ?? "").match(/\{\{\w+\}\}/g)).size;
  const actual = getArray(given("body"), "parameters")?.length ?? 0;
  if (expected !== actual) {
    return {
      status: 400,
      code: 132000,
      message: "(#132000) Number of parameters does not match the expected number of params",
      details: `body: number of localizable_params (${actual}) does not match the expected number of params (${expected})`,
    };
  }
  const header = template.components.find((component) => component["type"] === "HEADER");
  const format = getText(header, "format");
  if (format === undefined || format === "TEXT") return null;
  const parameter = asObject(getArray(given("header"), "parameters")?.[0]);
  if (getText(parameter, "type")?.toUpperCase() === format) return null;
  return {
    status: 400,
    code: 132012,
    message: "(#132012) Parameter format does not match format in the created template",
    details: `header: Format mismatch, expected ${format}`,
  };
}
