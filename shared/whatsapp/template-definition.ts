import { defined } from "../defined";
import { asObject, getArray, getId, getObject, getText, getWord, type JsonObject } from "./json";

/**
 * A template as `GET /{waba}/message_templates` lists it, read tolerantly: what this version does not know is named
 * in `unknown`, so that nobody sends a template that was only half understood.
 */
export interface TemplateDefinition {
  readonly id?: string;
  readonly name: string;
  readonly language: string;
  /** Meta's word: `APPROVED`, `PAUSED`, ... ; unknown words are data. */
  readonly status: string;
  /** Meta's word: `MARKETING`, `UTILITY` or `AUTHENTICATION`. */
  readonly category: string;
  readonly quality?: string;
  readonly rejectedReason?: string;
  readonly parameterFormat: "named" | "positional";
  readonly header?: TemplateHeader;
  readonly body?: TemplateText;
  readonly footer?: string;
  readonly buttons: readonly TemplateButton[];
  readonly cards: readonly TemplateCard[];
  /** Present where the template counts down to the end of an offer. */
  readonly offer?: { readonly text?: string; readonly expires: boolean };
  /** Kinds of components and buttons that are not read. */
  readonly unknown: readonly string[];
}

/** Text with places to fill in: `{{1}}` or `{{first_name}}`, in the order in which they first stand. */
export interface TemplateText {
  readonly text: string;
  readonly variables: readonly { readonly name: string; readonly example?: string }[];
}

export const HEADER_MEDIA = ["image", "video", "document", "gif"] as const;
export type HeaderMedia = (typeof HEADER_MEDIA)[number];

export type TemplateHeader =
  | ({ readonly format: "text" } & TemplateText)
  | { readonly format: HeaderMedia }
  | { readonly format: "location" }
  | { readonly format: "product" };

export const BUTTON_TYPES = [
  "quick_reply",
  "url",
  "phone_number",
  "copy_code",
  "otp",
  "flow",
  "catalog",
  "mpm",
  "spm",
  "voice_call",
  "request_contact_info",
] as const;
export type TemplateButtonType = (typeof BUTTON_TYPES)[number];

export interface TemplateButton {
  readonly type: TemplateButtonType;
  readonly text?: string;
  readonly url?: string;
  readonly phoneNumber?: string;
  /** Whether a part of the link is filled in when the template is sent. */
  readonly hasVariable: boolean;
  readonly example?: string;
}

export interface TemplateCard {
  readonly header?: TemplateHeader;
  readonly body?: TemplateText;
  readonly buttons: readonly TemplateButton[];
}

/** Cards, buttons and components that are read; Meta allows 10 of each (Meta: "Template components"). */
const PARTS_MAX = 32;
const VARIABLE = /\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g;

/** Reads one row of the list of templates; null when it has no name or language. Never throws. */
export function readTemplate(json: unknown): TemplateDefinition | null {
  const row = asObject(json);
  const name = getWord(row, "name");
  const language = getWord(row, "language");
  if (row === undefined || name === undefined || language === undefined) return null;
  const parts = readParts(getArray(row, "components"));
  const named = getWord(row, "parameter_format")?.toUpperCase() === "NAMED" || usesNames(parts);
  return {
    name,
    language,
    status: getWord(row, "status")?.toUpperCase() ?? "UNKNOWN",
    category: getWord(row, "category")?.toUpperCase() ?? "UNKNOWN",
    parameterFormat: named ? "named" : "positional",
    ...parts,
    ...defined({
      id: getId(row, "id"),
      quality: getWord(getObject(row, "quality_score"), "score"),
      rejectedReason: getWord(row, "rejected_reason"),
    }),
  };
}

interface Parts {
  header?: TemplateHeader;
  body?: TemplateText;
  footer?: string;
  buttons: readonly TemplateButton[];
  cards: readonly TemplateCard[];
  offer?: { text?: string; expires: boolean };
  unknown: string[];
}

function readParts(components: readonly unknown[] | undefined): Parts {
  const parts: Parts = { buttons: [], cards: [], unknown: [] };
  for (const component of (components ?? []).slice(0, PARTS_MAX).map(asObject)) {
    const type = getWord(component, "type")?.toUpperCase() ?? "";
    if (component === undefined) parts.unknown.push("component");
    else if (type === "HEADER") readHeader(component, parts);
    else if (type === "BODY") parts.body = readText(component, "body_text");
    else if (type === "FOOTER") Object.assign(parts, defined({ footer: getWord(component, "text") }));
    else if (type === "BUTTONS") parts.buttons = readButtons(component, parts);
    else if (type === "CAROUSEL") parts.cards = readCards(component, parts);
    else if (type === "LIMITED_TIME_OFFER") parts.offer = readOffer(component);
    else parts.unknown.push(type === "" ? "component" : type.toLowerCase());
  }
  return parts;
}

function readHeader(component: JsonObject, parts: Parts): void {
  const format = getWord(component, "format")?.toLowerCase() ?? "text";
  const media = HEADER_MEDIA.find((kind) => kind === format);
  if (media !== undefined) parts.header = { format: media };
  else if (format === "location" || format === "product") parts.header = { format };
  else if (format === "text") parts.header = { format, ...readText(component, "header_text") };
  else parts.unknown.push(`header ${format}`);
}

function readText(component: JsonObject, exampleKey: "header_text" | "body_text"): TemplateText {
  const text = getText(component, "text") ?? "";
  const examples = readExamples(getObject(component, "example"), exampleKey);
  const names = [...new Set([...text.matchAll(VARIABLE)].map(([, name = ""]) => name))];
  return {
    text,
    variables: names.map((name, index) => ({
      name,
      ...defined({ example: examples.named.get(name) ?? examples.positional[index] }),
    })),
  };
}

/** Examples of places: a list for numbered ones (for bodies a list of lists), pairs for named ones. */
function readExamples(example: JsonObject | undefined, key: "header_text" | "body_text") {
  const list = getArray(example, key) ?? [];
  const first = Array.isArray(list[0]) ? list[0] : list;
  const pairs = (getArray(example, `${key}_named_params`) ?? []).map(asObject);
  return {
    positional: first.map((value: unknown) => (typeof value === "string" ? value : undefined)),
    named: new Map(
      pairs.flatMap((pair) => {
        const name = getWord(pair, "param_name");
        const value = getText(pair, "example");
        return name === undefined || value === undefined ? [] : [[name, value] as const];
      }),
    ),
  };
}

function readButtons(component: JsonObject, parts: Parts): TemplateButton[] {
  return (getArray(component, "buttons") ?? []).slice(0, PARTS_MAX).flatMap((value) => {
    const button = asObject(value);
    const word = getWord(button, "type")?.toLowerCase() ?? "";
    const type = BUTTON_TYPES.find((known) => known === word);
    if (type === undefined) {
      parts.unknown.push(`button ${word}`);
      return [];
    }
    const url = getText(button, "url");
    const [listed] = getArray(button, "example") ?? [];
    return {
      type,
      hasVariable: type === "url" && url !== undefined && /\{\{.*?\}\}/.test(url),
      ...defined({
        text: getWord(button, "text"),
        url,
        phoneNumber: getWord(button, "phone_number"),
        example: getText(button, "example") ?? (typeof listed === "string" ? listed : undefined),
      }),
    };
  });
}

function readCards(component: JsonObject, parts: Parts): TemplateCard[] {
  return (getArray(component, "cards") ?? []).slice(0, PARTS_MAX).map((card) => {
    const read = readParts(getArray(asObject(card), "components"));
    parts.unknown.push(...read.unknown.map((what) => `card ${what}`));
    return { buttons: read.buttons, ...defined({ header: read.header, body: read.body }) };
  });
}

function readOffer(component: JsonObject): { text?: string; expires: boolean } {
  const offer = getObject(component, "limited_time_offer");
  return {
    expires: offer?.["has_expiration"] === true,
    ...defined({ text: getWord(offer, "text") }),
  };
}

/** A list may leave out `parameter_format`; a place with a letter in its name tells it. */
function usesNames(parts: Parts): boolean {
  const texts = [parts.body, parts.header?.format === "text" ? parts.header : undefined];
  return texts.some((text) => text?.variables.some(({ name }) => /\D/.test(name)));
}
