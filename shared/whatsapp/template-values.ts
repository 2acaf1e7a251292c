import { z } from "zod";
import { mediaSource } from "./outbound-schema";
import {
  HEADER_MEDIA,
  type TemplateButton,
  type TemplateDefinition,
  type TemplateHeader,
} from "./template-definition";

/**
 * What somebody fills a template with. Places are named as the template names them (`1`, `2`, or `first_name`),
 * buttons by their position from 0; a link button is given the part that is appended to its address.
 */
export const templateValues = z.strictObject({
  header: z
    .union([
      z.record(z.string(), z.string()),
      z.strictObject({ link: z.string(), filename: z.string().optional() }),
      z.strictObject({ id: z.string(), filename: z.string().optional() }),
      z.strictObject({
        latitude: z.number(),
        longitude: z.number(),
        name: z.string(),
        address: z.string(),
      }),
    ])
    .optional(),
  body: z.record(z.string(), z.string()).optional(),
  buttons: z.record(z.string(), z.string()).optional(),
  cards: z
    .array(
      z.strictObject({
        header: mediaSource.optional(),
        body: z.record(z.string(), z.string()).optional(),
        buttons: z.record(z.string(), z.string()).optional(),
      }),
    )
    .optional(),
  /** End of a limited offer, milliseconds since 1970. */
  offer_expires_at: z.number().int().positive().optional(),
});
export type TemplateValues = z.infer<typeof templateValues>;

type Schema = { readonly [key: string]: unknown };

/** Meta: "Coupon code templates": the code that is copied. */
export const COUPON_CODE_CHARACTERS_MAX = 15;
/** Meta: "Authentication templates": the one-time password. */
export const OTP_CHARACTERS_MAX = 15;
/** Meta: a quick reply's payload; the page of interactive replies gives 256 for the same field. */
export const PAYLOAD_CHARACTERS_MAX = 256;

/**
 * What `params` of this template must look like, as JSON Schema (draft 2020-12 keywords that every reader of tools
 * knows: type, properties, required, additionalProperties, items, anyOf). An agent that fills it in cannot mis-shape
 * the template. A template without places has an empty schema.
 */
export function templateParamsSchema(template: TemplateDefinition): Schema {
  const parts: [name: string, schema: Schema, required: boolean][] = [];
  const header = headerSchema(template.header);
  if (header !== null) parts.push(["header", header, true]);
  const body = textSchema(template.body?.variables ?? []);
  if (body !== null) parts.push(["body", body, true]);
  const buttons = buttonsSchema(template.buttons);
  if (buttons !== null) parts.push(["buttons", buttons, requiresButtons(template.buttons)]);
  if (template.cards.length > 0) parts.push(["cards", cardsSchema(template), true]);
  if (template.offer?.expires === true) {
    parts.push([
      "offer_expires_at",
      { type: "integer", description: "End of the offer, milliseconds since 1970." },
      true,
    ]);
  }
  return object(parts);
}

/** Buttons that stay as they are unless a payload of one's own is wanted. */
export function requiresValue(button: TemplateButton): boolean {
  return (button.type === "url" && button.hasVariable) || button.type === "copy_code";
}

const requiresButtons = (buttons: readonly TemplateButton[]) => buttons.some(requiresValue);

function headerSchema(header: TemplateHeader | undefined): Schema | null {
  if (header === undefined || header.format === "product") return null;
  if (header.format === "text") return textSchema(header.variables);
  if (header.format === "location") {
    const text = { type: "string" };
    return object([
      ["latitude", { type: "number", minimum: -90, maximum: 90 }, true],
      ["longitude", { type: "number", minimum: -180, maximum: 180 }, true],
      ["name", text, true],
      ["address", text, true],
    ]);
  }
  const filename = header.format === "document" ? [filenameProperty] : [];
  return {
    anyOf: [object([["link", linkSchema, true], ...filename]), object([["id", idSchema, true], ...filename])],
  };
}

const linkSchema = { type: "string", description: "Public https address of the file." };
const idSchema = { type: "string", description: "Id of a file that was uploaded before." };
const filenameProperty: [string, Schema, boolean] = ["filename", { type: "string" }, false];

function textSchema(variables: readonly { name: string; example?: string }[]): Schema | null {
  if (variables.length === 0) return null;
  return object(
    variables.map(({ name, example }) => [
      name,
      { type: "string", minLength: 1, ...(example !== undefined && { examples: [example] }) },
      true,
    ]),
  );
}

function buttonsSchema(buttons: readonly TemplateButton[]): Schema | null {
  const properties = buttons.flatMap((button, index): [string, Schema, boolean][] => {
    const example = button.example === undefined ? {} : { examples: [button.example] };
    const label = button.text ?? button.type;
    if (button.type === "url" && button.hasVariable) {
      const description = `Appended to the link of "${label}".`;
      return [[String(index), { type: "string", minLength: 1, description, ...example }, true]];
    }
    if (button.type === "copy_code") {
      const description = "The code that is copied.";
      const maxLength = COUPON_CODE_CHARACTERS_MAX;
      return [[String(index), { type: "string", minLength: 1, maxLength, description, ...example }, true]];
    }
    if (button.type !== "quick_reply") return [];
    const description = `Comes back when "${label}" is tapped.`;
    return [[String(index), { type: "string", maxLength: PAYLOAD_CHARACTERS_MAX, description }, false]];
  });
  return properties.length === 0 ? null : object(properties);
}

function cardsSchema({ cards }: TemplateDefinition): Schema {
  // Meta demands that all cards are built alike, so the first one speaks for all.
  const [card] = cards;
  const parts: [string, Schema, boolean][] = [];
  const media = HEADER_MEDIA.some((format) => format === card?.header?.format);
  const header = media ? headerSchema(card?.header) : null;
  if (header !== null) parts.push(["header", header, true]);
  const body = textSchema(card?.body?.variables ?? []);
  if (body !== null) parts.push(["body", body, true]);
  const buttons = buttonsSchema(card?.buttons ?? []);
  if (buttons !== null) parts.push(["buttons", buttons, requiresButtons(card?.buttons ?? [])]);
  return { type: "array", minItems: cards.length, maxItems: cards.length, items: object(parts) };
}

function object(parts: readonly (readonly [name: string, schema: Schema, required: boolean])[]): Schema {
  return {
    type: "object",
    properties: Object.fromEntries(parts.map(([name, schema]) => [name, schema])),
    required: parts.filter(([, , required]) => required).map(([name]) => name),
    additionalProperties: false,
  };
}
