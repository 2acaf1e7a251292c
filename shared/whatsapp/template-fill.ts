import { defined } from "../defined";
import { cleanText, countCharacters } from "../text";
import { isWebLink } from "./outbound-body";
import { BODY_CHARACTERS_MAX } from "./outbound-interactive";
import type { TemplateComponent } from "./template-components";
import type { TemplateButton, TemplateDefinition, TemplateHeader, TemplateText } from "./template-definition";
import {
  COUPON_CODE_CHARACTERS_MAX,
  OTP_CHARACTERS_MAX,
  PAYLOAD_CHARACTERS_MAX,
  requiresValue,
  type TemplateValues,
} from "./template-values";

/** How a filled template looks on the phone, in plain text. */
export interface TemplatePreview {
  readonly header?: string;
  readonly body: string;
  readonly footer?: string;
  readonly buttons: readonly { readonly text: string; readonly url?: string }[];
  readonly cards: readonly { readonly header?: string; readonly body?: string }[];
}

export interface TemplateProblem {
  /** Path inside the values, such as `body.2` or `cards[0].header`. */
  readonly field: string;
  readonly problem: string;
}

export type FilledTemplate =
  | {
      readonly ok: true;
      readonly components: readonly TemplateComponent[];
      readonly preview: TemplatePreview;
    }
  | { readonly ok: false; readonly problems: readonly TemplateProblem[] };

/**
 * Fills a template: the components for `POST /messages` and the preview, or everything that is missing, too much or
 * of the wrong kind. The rules are those by which Meta answers 132000, 132005, 132007, 132012 and 132018
 * (Meta: "Cloud API error codes", "Template components").
 */
export function fillTemplate(template: TemplateDefinition, values: TemplateValues): FilledTemplate {
  const filling = new Filling();
  const header = filling.header(template.header, values.header, "header");
  const body = filling.text(template.body, values.body, "body", "body");
  const buttons = filling.buttons(template, values.buttons, values.body, "buttons");
  const cards = filling.cards(template, values.cards);
  const offer = filling.offer(template, values.offer_expires_at);
  const bodyText = body?.text ?? "";
  if (countCharacters(bodyText) > BODY_CHARACTERS_MAX) {
    filling.wrong(
      "body",
      `With the values filled in the text has more than ${BODY_CHARACTERS_MAX} characters.`,
    );
  }
  for (const kind of template.unknown) {
    filling.wrong("template", `The template has a part of a kind that cannot be sent from here (${kind}).`);
  }
  if (filling.problems.length > 0) return { ok: false, problems: filling.problems };
  return {
    ok: true,
    components: [
      ...(header?.component ?? []),
      ...(offer ?? []),
      ...(body?.component ?? []),
      ...(cards === null ? [] : [cards.component]),
      ...buttons.components,
    ],
    preview: {
      body: bodyText,
      buttons: buttons.preview,
      cards: cards?.preview ?? [],
      ...defined({ header: header?.preview, footer: template.footer }),
    },
  };
}

type Texts = Readonly<Record<string, string>>;

class Filling {
  readonly problems: TemplateProblem[] = [];

  wrong(field: string, problem: string): void {
    this.problems.push({ field, problem });
  }

  text(
    part: TemplateText | undefined,
    given: Texts | undefined,
    field: string,
    type: "header" | "body",
  ): { text: string; component: TemplateComponent[] } | null {
    const names = (part?.variables ?? []).map(({ name }) => name);
    this.#surplus(given, names, field);
    if (part === undefined) return null;
    const named = names.some((name) => /\D/.test(name));
    const texts = new Map(names.map((name) => [name, this.#variable(given?.[name], `${field}.${name}`)]));
    const parameters = names.map((name) => ({
      type: "text",
      ...(named && { parameter_name: name }),
      text: texts.get(name) ?? "",
    }));
    return {
      text: part.text.replace(/\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g, (place, name) => texts.get(name) ?? place),
      component: parameters.length === 0 ? [] : [{ type, parameters }],
    };
  }

  header(
    header: TemplateHeader | undefined,
    given: TemplateValues["header"],
    field: string,
  ): { preview: string; component: TemplateComponent[] } | null {
    if (header === undefined || header.format === "text") {
      const texts = asTexts(given);
      if (given !== undefined && texts === null)
        this.wrong(field, "The header is a text, not a file or a place.");
      const filled = this.text(header, texts ?? undefined, field, "header");
      return filled && { preview: filled.text, component: filled.component };
    }
    if (header.format === "product") {
      this.wrong(field, "Headers with a product cannot be sent from here.");
      return null;
    }
    if (header.format === "location") return this.#location(given, field);
    return this.#media(header.format, given, field);
  }

  buttons(
    template: Pick<TemplateDefinition, "buttons" | "category" | "body">,
    given: Texts | undefined,
    body: Texts | undefined,
    field: string,
  ): { components: TemplateComponent[]; preview: { text: string; url?: string }[] } {
    const usable = template.buttons.flatMap((button, index) =>
      requiresValue(button) || button.type === "quick_reply" ? [String(index)] : [],
    );
    this.#surplus(given, usable, field);
    const components: TemplateComponent[] = [];
    const preview = template.buttons.map((button, index) => {
      const value = given?.[String(index)];
      const parameter = this.#button(button, value, body, `${field}.${index}`);
      if (parameter !== null) components.push({ type: "button", index: String(index), ...parameter });
      const url = button.url?.replace(/\{\{.*?\}\}/, value ?? "");
      return { text: button.text ?? button.type, ...defined({ url }) };
    });
    return { components, preview };
  }

  cards(template: TemplateDefinition, given: TemplateValues["cards"]) {
    const { cards } = template;
    if (given !== undefined && given.length !== cards.length) {
      this.wrong("cards", `The template has ${cards.length} cards, ${given.length} were given.`);
      return null;
    }
    if (cards.length === 0) return null;
    if (given === undefined) {
      this.wrong("cards", "The values of the cards are missing.");
      return null;
    }
    const filled = cards.map((card, index) => {
      const field = `cards[${index}]`;
      const values = given[index];
      const header = this.header(card.header, values?.header, `${field}.header`);
      const body = this.text(card.body, values?.body, `${field}.body`, "body");
      const buttons = this.buttons(
        { ...template, buttons: card.buttons },
        values?.buttons,
        undefined,
        `${field}.buttons`,
      );
      return {
        json: {
          card_index: index,
          components: [...(header?.component ?? []), ...(body?.component ?? []), ...buttons.components],
        },
        preview: defined({ header: header?.preview, body: body?.text }),
      };
    });
    return {
      component: { type: "carousel" as const, cards: filled.map(({ json }) => json) },
      preview: filled.map(({ preview }) => preview),
    };
  }

  offer({ offer }: TemplateDefinition, expiresAt: number | undefined): TemplateComponent[] | null {
    if (offer?.expires !== true) {
      if (expiresAt !== undefined) this.wrong("offer_expires_at", "The template has no offer that ends.");
      return null;
    }
    if (expiresAt === undefined) {
      this.wrong("offer_expires_at", "The end of the offer is missing.");
      return null;
    }
    return [
      {
        type: "limited_time_offer",
        parameters: [{ type: "limited_time_offer", limited_time_offer: { expiration_time_ms: expiresAt } }],
      },
    ];
  }

  #variable(value: string | undefined, field: string): string {
    const text = cleanText(value ?? "");
    if (text.trim() === "") this.wrong(field, "A value is missing.");
    // Meta: 132007, the character policy of values.
    else if (/[\n\r\t]| {5,}/.test(text)) {
      this.wrong(field, "A value has no line breaks, no tabs and no more than four blanks in a row.");
    }
    return text;
  }

  #surplus(given: Texts | undefined, names: readonly string[], field: string): void {
    for (const name of Object.keys(given ?? {})) {
      if (!names.includes(name)) this.wrong(`${field}.${name}`, "The template has no such place.");
    }
  }

  #location(given: TemplateValues["header"], field: string) {
    if (given === undefined || !("latitude" in given) || typeof given.latitude !== "number") {
      this.wrong(field, "The place of the header is missing.");
      return null;
    }
    const component: TemplateComponent = {
      type: "header",
      parameters: [{ type: "location", location: given }],
    };
    return { preview: `${given.name}, ${given.address}`, component: [component] };
  }

  #media(format: string, given: TemplateValues["header"], field: string) {
    // A moving image is sent as a video (Meta: "Marketing templates", GIF headers).
    const type = format === "gif" ? "video" : format;
    const source = given !== undefined && ("link" in given || "id" in given) ? given : null;
    if (source === null) {
      this.wrong(field, `The ${type} of the header is missing.`);
      return null;
    }
    const { link, id, filename } = asTexts(source) ?? {};
    if (link !== undefined && !isWebLink(link))
      this.wrong(field, "The link must be an http or https address.");
    if (link === undefined && (id === undefined || id === "")) this.wrong(field, "The media id is empty.");
    if (filename !== undefined && type !== "document")
      this.wrong(field, "Only a document carries a file name.");
    const component: TemplateComponent = {
      type: "header",
      parameters: [{ type, [type]: defined({ link, id, filename }) }],
    };
    return { preview: filename ?? type, component: [component] };
  }

  #button(button: TemplateButton, value: string | undefined, body: Texts | undefined, field: string) {
    if (button.type === "otp") return this.#otp(body);
    if (value === undefined) {
      if (requiresValue(button)) this.wrong(field, "A value is missing.");
      return null;
    }
    const text = cleanText(value);
    if (button.type === "copy_code") {
      if (text === "" || countCharacters(text) > COUPON_CODE_CHARACTERS_MAX) {
        this.wrong(field, `A code has 1 to ${COUPON_CODE_CHARACTERS_MAX} characters.`);
      }
      return { sub_type: "copy_code", parameters: [{ type: "coupon_code", coupon_code: text }] };
    }
    if (button.type === "url") {
      if (text.trim() === "" || /\s/.test(text)) this.wrong(field, "The end of a link has no blanks.");
      return { sub_type: "url", parameters: [{ type: "text", text }] };
    }
    if (countCharacters(text) > PAYLOAD_CHARACTERS_MAX) {
      this.wrong(field, `At most ${PAYLOAD_CHARACTERS_MAX} characters are allowed.`);
    }
    return { sub_type: "quick_reply", parameters: [{ type: "payload", payload: text }] };
  }

  /** Authentication: the button repeats the code of the body (Meta: "Authentication templates", both are required). */
  #otp(body: Texts | undefined) {
    const code = Object.values(body ?? {})[0] ?? "";
    if (countCharacters(code) > OTP_CHARACTERS_MAX) {
      this.wrong("body.1", `A one-time code has at most ${OTP_CHARACTERS_MAX} characters.`);
    }
    return { sub_type: "url", parameters: [{ type: "text", text: code }] };
  }
}

function asTexts(given: TemplateValues["header"]): Texts | null {
  const entries = Object.entries(given ?? {}).flatMap(([key, value]) =>
    typeof value === "string" ? [[key, value] as const] : [],
  );
  return entries.length === Object.keys(given ?? {}).length ? Object.fromEntries(entries) : null;
}
