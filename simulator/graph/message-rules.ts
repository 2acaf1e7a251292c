import { asObject, get, getNumber, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { Simulation } from "../simulation";
import type { BusinessNumber } from "../world";
import { contactsProblem } from "./contact-rules";
import { type GraphFailure, invalid, invalidParameter, missing, unsupportedType } from "./graph-error";
import { interactiveProblem } from "./interactive-rules";
import { fileProblem, limited, required, requiredText } from "./message-checks";
import { templateSendProblem } from "./template-send-rules";

/**
 * What Meta checks before it accepts a message, with the code that it answers. Each rule gets the object under the
 * type's key; null means that the message is accepted (it may still fail later).
 */
type Rule = (
  content: JsonObject,
  simulation: Simulation,
  number: BusinessNumber,
  body: JsonObject,
) => GraphFailure | null;

/** Meta: "Text messages", "Image messages", "Document messages". */
const TEXT_CHARACTERS_MAX = 4096;
const CAPTION_CHARACTERS_MAX = 1024;
const FILENAME_CHARACTERS_MAX = 1024;

const RULES: Readonly<Record<string, Rule>> = {
  text: (text) => requiredText(text, "text", "body", TEXT_CHARACTERS_MAX),
  image: fileRule("image", { caption: CAPTION_CHARACTERS_MAX }),
  video: fileRule("video", { caption: CAPTION_CHARACTERS_MAX }),
  document: fileRule("document", { caption: CAPTION_CHARACTERS_MAX, filename: FILENAME_CHARACTERS_MAX }),
  audio: fileRule("audio", {}),
  sticker: fileRule("sticker", {}),
  location: (location) => required(location, "location", ["latitude", "longitude"]) ?? onEarth(location),
  reaction: (reaction) =>
    required(reaction, "reaction", ["message_id"]) ??
    (typeof get(reaction, "emoji") === "string" ? null : missing("reaction['emoji']")),
  interactive: (interactive, simulation) => interactiveProblem(interactive, simulation),
  template: templateSendProblem,
};

/** Kinds that customers' messages have and that nobody can send. */
const INBOUND_ONLY: ReadonlySet<string> = new Set([
  "button",
  "edit",
  "order",
  "pin",
  "revoke",
  "system",
  "unsupported",
]);

/** Longest `biz_opaque_callback_data`. */
const CALLBACK_DATA_MAX = 512;

/** The first thing that is wrong with a message body whose recipient is known to be well formed, or null. */
export function checkMessage(
  body: JsonObject,
  simulation: Simulation,
  number: BusinessNumber,
): GraphFailure | null {
  const givenType = get(body, "type");
  const type = givenType === undefined ? "text" : (getText(body, "type") ?? "");
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
  if (type === "contacts") return contactsProblem(get(body, "contacts"));
  if (INBOUND_ONLY.has(type)) return unsupportedType;
  const rule = Object.hasOwn(RULES, type) ? RULES[type] : undefined;
  if (rule === undefined) {
    const known = [...Object.keys(RULES), "contacts"].join(", ");
    return invalidParameter(`Param type must be one of {${known}} - got "${type.slice(0, 40)}".`);
  }
  const content = getObject(body, type);
  return content === undefined ? missing(type) : rule(content, simulation, number, body);
}

function fileRule(type: string, texts: Readonly<Record<string, number>>): Rule {
  return (file, simulation) => {
    const wrong = fileProblem(simulation, file, type);
    if (wrong !== null) return wrong;
    for (const key of ["caption", "filename"]) {
      if (texts[key] === undefined && get(file, key) !== undefined) {
        return invalidParameter(`Unexpected key "${key}" on param "${type}".`);
      }
    }
    for (const [key, charactersMax] of Object.entries(texts)) {
      const failure = limited(file, type, key, charactersMax);
      if (failure !== null) return failure;
    }
    const voice = get(file, "voice");
    return voice === undefined || typeof voice === "boolean"
      ? null
      : invalidParameter(`Param ${type}['voice'] must be a boolean.`);
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
