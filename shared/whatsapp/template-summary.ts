import type { TemplateButton, TemplateDefinition, TemplateText } from "./template-definition";
import { requiresValue } from "./template-values";

/** Whether a template is built only of parts that can be filled and sent from here; its status is another matter. */
export function isBuiltToSend(template: TemplateDefinition): boolean {
  return template.unknown.length === 0 && template.header?.format !== "product";
}

/** How many values somebody has to give to send the template: places of texts, files, codes and ends of links. */
export function countTemplateParams({ header, body, buttons, cards, offer }: TemplateDefinition): number {
  const ofCards = cards.map(
    (card) => countHeader(card.header) + countPlaces(card.body) + countButtons(card.buttons),
  );
  return (
    countHeader(header) +
    countPlaces(body) +
    countButtons(buttons) +
    ofCards.reduce((sum, count) => sum + count, 0) +
    (offer?.expires === true ? 1 : 0)
  );
}

const countPlaces = (text: TemplateText | undefined): number => text?.variables.length ?? 0;
const countButtons = (buttons: readonly TemplateButton[]): number => buttons.filter(requiresValue).length;

function countHeader(header: TemplateDefinition["header"]): number {
  if (header === undefined || header.format === "product") return 0;
  return header.format === "text" ? countPlaces(header) : 1;
}

/**
 * The template as its reader would see it, in plain text: places show the example that Meta was given, or their name
 * in brackets; files show their kind.
 */
export function templatePreview(template: TemplateDefinition): string {
  const { header, body, footer, buttons, cards } = template;
  const lines = [
    headerLine(header),
    filledLine(body),
    ...cards.map((card) => [headerLine(card.header), filledLine(card.body)].filter(Boolean).join(" ")),
    footer ?? "",
    buttons.map((button) => `[${button.text ?? button.type}]`).join(" "),
  ];
  return lines.filter((line) => line !== "").join("\n");
}

function headerLine(header: TemplateDefinition["header"]): string {
  if (header === undefined) return "";
  if (header.format === "text") return filledLine(header);
  return `(${header.format})`;
}

function filledLine(text: TemplateText | undefined): string {
  if (text === undefined) return "";
  const examples = new Map(text.variables.map(({ name, example }) => [name, example ?? `[${name}]`]));
  return text.text.replace(/\{\{\s*([A-Za-z0-9_]+)\s*\}\}/g, (place, name) => examples.get(name) ?? place);
}
