import { asObject, get, getArray, getObject, getText, type JsonObject } from "#shared/whatsapp/json";
import type { Message, State, Template } from "./api";

/** The objects in a list of a message's content. */
export function objectsIn(object: JsonObject | undefined, key: string): JsonObject[] {
  return (getArray(object, key) ?? []).map(asObject).filter((one) => one !== undefined);
}

export function contentOf(message: Message): JsonObject {
  return asObject(message.content) ?? {};
}

const NAMES: Readonly<Record<string, string>> = {
  image: "Photo",
  video: "Video",
  audio: "Audio",
  document: "Document",
  sticker: "Sticker",
  location: "Location",
  contacts: "Contact",
  order: "Order",
  unsupported: "Unsupported message",
};

/** What a type is called by people. */
export function typeName(type: string): string {
  return NAMES[type] ?? type.charAt(0).toUpperCase() + type.slice(1).replaceAll("_", " ");
}

/** One line that stands for a message in lists and quotes. */
export function summary(state: State, message: Message): string {
  if (message.revoked) return "This message was deleted";
  const content = contentOf(message);
  const line = lineOf(state, message, content).trim().replace(/\s+/g, " ");
  return (line === "" ? typeName(message.type) : line).slice(0, 160);
}

function lineOf(state: State, message: Message, content: JsonObject): string {
  switch (message.type) {
    case "text":
      return getText(content, "body") ?? "";
    case "button":
      return getText(content, "text") ?? "";
    case "reaction":
      return `Reacted ${getText(content, "emoji") ?? ""}`;
    case "template":
      return templateText(templateOf(state, content), content, "BODY");
    case "interactive":
      return interactiveLine(content);
    case "location":
      return getText(content, "name") ?? "Location";
    case "contacts":
      return `Contact: ${cardName(asObject(getArray(asObject({ list: message.content }), "list")?.[0]))}`;
    case "audio":
      return get(content, "voice") === true ? "Voice message" : "Audio";
    case "document":
      return getText(content, "filename") ?? getText(content, "caption") ?? "Document";
    case "system":
      return getText(content, "body") ?? "";
    default:
      return getText(content, "caption") ?? "";
  }
}

function interactiveLine(content: JsonObject): string {
  const reply = getObject(content, "button_reply") ?? getObject(content, "list_reply");
  if (reply !== undefined) return getText(reply, "title") ?? "";
  if (getObject(content, "nfm_reply") !== undefined) return "Form sent";
  const permission = getObject(content, "call_permission_reply");
  if (permission !== undefined) return `Calls: ${getText(permission, "response") ?? ""}`;
  return getText(getObject(content, "body"), "text") ?? "";
}

export function cardName(card: JsonObject | undefined): string {
  const phone = asObject(getArray(card, "phones")?.[0]);
  return getText(getObject(card, "name"), "formatted_name") ?? getText(phone, "phone") ?? "Contact";
}

/** The template that a message is made of. */
export function templateOf(state: State, content: JsonObject): Template | undefined {
  const name = getText(content, "name");
  const language = getText(getObject(content, "language"), "code");
  return (
    state.templates.find((one) => one.name === name && one.language === language) ??
    state.templates.find((one) => one.name === name)
  );
}

/** A text component of a template with the parameters of this message put in; its name when it is not known. */
export function templateText(
  template: Template | undefined,
  content: JsonObject,
  part: "HEADER" | "BODY",
): string {
  const definition = template?.components.find((one) => one["type"] === part);
  const text =
    getText(asObject(definition), "text") ?? (part === "BODY" ? (getText(content, "name") ?? "") : "");
  return filled(text, componentOf(content, part.toLowerCase()));
}

/** What a message gives for one component of its template. */
export function componentOf(content: JsonObject, type: string): JsonObject | undefined {
  return objectsIn(content, "components").find((one) => getText(one, "type")?.toLowerCase() === type);
}

/** Puts parameters, by name or in their order, in the place of `{{name}}` or `{{1}}`. */
export function filled(text: string, component: JsonObject | undefined): string {
  const parameters = objectsIn(component, "parameters");
  return text.replace(/\{\{\s*(\w+)\s*\}\}/g, (placeholder, name: string) => {
    const parameter =
      parameters.find((one) => getText(one, "parameter_name") === name) ?? parameters[Number(name) - 1];
    return parameterText(parameter) ?? placeholder;
  });
}

function parameterText(parameter: JsonObject | undefined): string | undefined {
  const special = getObject(parameter, "currency") ?? getObject(parameter, "date_time");
  return getText(parameter, "text") ?? getText(special, "fallback_value");
}
