import type { FunctionArgs } from "convex/server";
import * as z from "zod";
import { defined } from "#shared/defined";
import {
  BUTTON_TITLE_CHARACTERS_MAX,
  BUTTONS_MAX,
  CTA_TEXT_CHARACTERS_MAX,
  FLOW_CTA_CHARACTERS_MAX,
  LIST_BODY_CHARACTERS_MAX,
  LIST_BUTTON_CHARACTERS_MAX,
  ROW_DESCRIPTION_CHARACTERS_MAX,
  ROW_ID_CHARACTERS_MAX,
  ROW_TITLE_CHARACTERS_MAX,
  ROWS_MAX,
  SECTION_TITLE_CHARACTERS_MAX,
  SECTIONS_MAX,
} from "#shared/whatsapp/outbound-interactive";
import type { api } from "../../convex/_generated/api";
import { AppError } from "../server/app-error";
import { fileOf, fileParams } from "./files";
import { params } from "./params";

/** What the backend takes as an interactive message. */
type Interactive = FunctionArgs<typeof api.mcp.sendInteractive>["interactive"];
type Header = NonNullable<Extract<Interactive, { type: "button" }>["header"]>;

const text = (charsMax: number) => z.string().min(1).max(charsMax);

/** Meta allows 256 characters for the id of a button and 200 for that of a row; one of the shorter length fits both. */
const choiceId = text(ROW_ID_CHARACTERS_MAX);

const buttons = z
  .array(z.strictObject({ id: choiceId, title: text(BUTTON_TITLE_CHARACTERS_MAX) }))
  .min(1)
  .max(BUTTONS_MAX);

const row = z.strictObject({
  id: choiceId,
  title: text(ROW_TITLE_CHARACTERS_MAX),
  description: text(ROW_DESCRIPTION_CHARACTERS_MAX).exactOptional(),
});
const section = z.strictObject({
  title: text(SECTION_TITLE_CHARACTERS_MAX).exactOptional(),
  rows: z.array(row).min(1).max(ROWS_MAX),
});
const list = z.strictObject({
  button: text(LIST_BUTTON_CHARACTERS_MAX).describe("What opens the list."),
  sections: z.array(section).min(1).max(SECTIONS_MAX),
});

const link = z.strictObject({ text: text(CTA_TEXT_CHARACTERS_MAX), url: z.string().min(1) });

const flow = z.strictObject({
  id: z.string().min(1).describe("Meta's id of the flow."),
  button: text(FLOW_CTA_CHARACTERS_MAX).describe("What opens it."),
  screen: z.string().min(1).optional().describe("First screen; left out, the flow's endpoint names it."),
  data: z.looseObject({}).optional().describe("What that screen is given."),
  token: z.string().min(1).optional().describe("Comes back with the answers."),
  draft: z.literal(true).optional().describe("Not published yet."),
});

const headerMedia = z.strictObject({ type: z.enum(["image", "video", "document"]), ...fileParams });

/** The content of an interactive message, as agents give it. */
export const interactiveParams = {
  body: params.word("The text.", LIST_BODY_CHARACTERS_MAX),
  header: params.word("A line above it.").optional(),
  header_media: headerMedia.optional().describe("A file above it instead."),
  footer: params.word("A small line below it.").optional(),
  buttons: buttons.optional().describe("One to three reply buttons."),
  list: list.optional().describe("A list of at most ten rows."),
  link: link.optional().describe("One button that opens an address."),
  flow: flow.optional().describe("A form that opens in WhatsApp."),
  ask_location: z.literal(true).optional().describe("Ask for the customer's location."),
};
type Given = z.output<z.ZodObject<typeof interactiveParams>>;

/** The message as the backend takes it. Throws `invalid_request` for what is nothing, or two things at once. */
export function interactiveOf(given: Given): Interactive {
  const { body, buttons, list, link, flow, ask_location } = given;
  const choices = [buttons, list, link, flow, ask_location].filter((choice) => choice !== undefined);
  if (choices.length !== 1) throw invalid("Give exactly one of buttons, list, link, flow and ask_location.");
  const header = headerOf(given);
  const common = { body, ...defined({ header, footer: given.footer }) };
  if (buttons !== undefined) return { type: "button", ...common, buttons };
  if (link !== undefined) return { type: "cta_url", ...common, display_text: link.text, url: link.url };
  if (flow !== undefined) return { ...common, ...flowOf(flow) };
  if (list !== undefined) {
    if (header !== undefined && header.type !== "text") throw invalid("A list takes no file above it.");
    return { type: "list", body, ...list, ...defined({ header, footer: given.footer }) };
  }
  if (header !== undefined || given.footer !== undefined) throw invalid("ask_location takes only `body`.");
  return { type: "location_request_message", body };
}

function headerOf({ header, header_media: media }: Given): Header | undefined {
  if (header !== undefined && media !== undefined)
    throw invalid("Give `header` or `header_media`, not both.");
  if (header !== undefined) return { type: "text", text: header };
  if (media === undefined) return undefined;
  const named = fileOf(media);
  const file = "mediaId" in named ? { id: named.mediaId } : named;
  if (media.type === "document")
    return { type: "document", document: file, ...defined({ filename: media.filename }) };
  if (media.filename !== undefined) throw invalid("Only a document carries a file name.");
  return media.type === "image" ? { type: "image", image: file } : { type: "video", video: file };
}

function flowOf({ id, button, screen, data, token, draft }: z.output<typeof flow>) {
  const more = { screen, data: data === undefined ? undefined : JSON.stringify(data), flow_token: token };
  return {
    type: "flow" as const,
    flow_id: id,
    flow_cta: button,
    ...defined({ ...more, mode: draft === true ? ("draft" as const) : undefined }),
  };
}

const invalid = (say: string): AppError => AppError.of("invalid_request", { say });
