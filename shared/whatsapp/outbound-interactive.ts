import { z } from "zod";
import { defined } from "../defined";
import { type Built, buildBody, type Envelope } from "./outbound-body";
import { mediaSource, refusedBy, shortText, webLink } from "./outbound-schema";

/** Limits of interactive messages. Meta: "Interactive reply buttons", "lists", "Call-to-action URL button", "Flows". */
export const BUTTON_TITLE_CHARACTERS_MAX = 20;
export const BUTTON_ID_CHARACTERS_MAX = 256;
export const BUTTONS_MAX = 3;
export const BODY_CHARACTERS_MAX = 1024;
export const LIST_BODY_CHARACTERS_MAX = 4096;
export const HEADER_CHARACTERS_MAX = 60;
export const FOOTER_CHARACTERS_MAX = 60;
export const LIST_BUTTON_CHARACTERS_MAX = 20;
export const SECTIONS_MAX = 10;
/** Rows of all sections together. */
export const ROWS_MAX = 10;
export const SECTION_TITLE_CHARACTERS_MAX = 24;
export const ROW_ID_CHARACTERS_MAX = 200;
export const ROW_TITLE_CHARACTERS_MAX = 24;
export const ROW_DESCRIPTION_CHARACTERS_MAX = 72;
export const CTA_TEXT_CHARACTERS_MAX = 20;
export const FLOW_CTA_CHARACTERS_MAX = 30;

const textHeader = z.strictObject({ type: z.literal("text"), text: shortText(HEADER_CHARACTERS_MAX) });
const header = z.discriminatedUnion("type", [
  textHeader,
  z.strictObject({ type: z.literal("image"), image: mediaSource }),
  z.strictObject({ type: z.literal("video"), video: mediaSource }),
  z.strictObject({ type: z.literal("document"), document: mediaSource, filename: shortText(240).optional() }),
]);
const footer = shortText(FOOTER_CHARACTERS_MAX).optional();
const body = shortText(BODY_CHARACTERS_MAX);

const buttons = z
  .array(
    z.strictObject({
      id: shortText(BUTTON_ID_CHARACTERS_MAX),
      title: shortText(BUTTON_TITLE_CHARACTERS_MAX),
    }),
  )
  .min(1, "At least one button is needed.")
  .max(BUTTONS_MAX, `At most ${BUTTONS_MAX} buttons are allowed.`)
  .refine((all) => areDistinct(all.map(({ id }) => id)), "Each button needs an id of its own.")
  .refine((all) => areDistinct(all.map(({ title }) => title)), "Each button needs a title of its own.");

const sections = z
  .array(
    z.strictObject({
      title: shortText(SECTION_TITLE_CHARACTERS_MAX).optional(),
      rows: z
        .array(
          z.strictObject({
            id: shortText(ROW_ID_CHARACTERS_MAX),
            title: shortText(ROW_TITLE_CHARACTERS_MAX),
            description: shortText(ROW_DESCRIPTION_CHARACTERS_MAX).optional(),
          }),
        )
        .min(1, "A section needs at least one row."),
    }),
  )
  .min(1, "At least one section is needed.")
  .max(SECTIONS_MAX, `At most ${SECTIONS_MAX} sections are allowed.`)
  .refine(
    (all) => all.flatMap(({ rows }) => rows).length <= ROWS_MAX,
    `At most ${ROWS_MAX} rows are allowed in all sections together.`,
  )
  .refine(
    (all) => areDistinct(all.flatMap(({ rows }) => rows.map(({ id }) => id))),
    "Each row needs an id of its own.",
  )
  .refine(
    (all) => all.length === 1 || all.every(({ title }) => title !== undefined),
    "With more than one section each needs a title.",
  );

/** What an interactive message says, in our shape: flat where Meta nests, strict about every limit. */
export const interactiveInput = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("button"), header: header.optional(), body, footer, buttons }),
  z.strictObject({
    type: z.literal("list"),
    header: textHeader.optional(),
    body: shortText(LIST_BODY_CHARACTERS_MAX),
    footer,
    button: shortText(LIST_BUTTON_CHARACTERS_MAX),
    sections,
  }),
  z.strictObject({
    type: z.literal("cta_url"),
    header: header.optional(),
    body,
    footer,
    display_text: shortText(CTA_TEXT_CHARACTERS_MAX),
    url: webLink,
  }),
  z.strictObject({ type: z.literal("location_request_message"), body }),
  z.strictObject({
    type: z.literal("flow"),
    header: header.optional(),
    body,
    footer,
    flow_id: shortText(64),
    flow_cta: shortText(FLOW_CTA_CHARACTERS_MAX),
    flow_token: shortText(512).optional(),
    mode: z.enum(["draft", "published"]).optional(),
    screen: shortText(128).optional(),
    data: z.record(z.string(), z.json()).optional(),
  }),
]);
export type InteractiveInput = z.input<typeof interactiveInput>;
type Interactive = z.output<typeof interactiveInput>;

/** An interactive message: reply buttons, a list, a link button, a request for the location, or a flow. */
export function buildInteractive(envelope: Envelope, input: InteractiveInput): Built {
  const parsed = interactiveInput.safeParse(input);
  if (!parsed.success) return refusedBy(parsed.error);
  const given = parsed.data;
  return buildBody(envelope, "interactive", {
    type: given.type,
    ...("header" in given && given.header !== undefined && { header: headerJson(given.header) }),
    body: { text: given.body },
    ...("footer" in given && given.footer !== undefined && { footer: { text: given.footer } }),
    action: actionJson(given),
  });
}

function headerJson(given: z.output<typeof header>): object {
  if (given.type !== "document") return given;
  return { type: "document", document: { ...given.document, ...defined({ filename: given.filename }) } };
}

function actionJson(given: Interactive): object {
  switch (given.type) {
    case "button":
      return { buttons: given.buttons.map((reply) => ({ type: "reply", reply })) };
    case "list":
      return { button: given.button, sections: given.sections.map((section) => defined(section)) };
    case "cta_url":
      return { name: "cta_url", parameters: { display_text: given.display_text, url: given.url } };
    case "location_request_message":
      return { name: "send_location" };
    case "flow":
      return { name: "flow", parameters: flowJson(given) };
  }
}

/** A flow opens on a given screen with given data (`navigate`), or asks the business's endpoint for both. */
function flowJson(given: Extract<Interactive, { type: "flow" }>): object {
  const { screen, data } = given;
  return {
    flow_message_version: "3",
    flow_id: given.flow_id,
    flow_cta: given.flow_cta,
    ...defined({ flow_token: given.flow_token, mode: given.mode }),
    ...(screen === undefined
      ? { flow_action: "data_exchange" }
      : { flow_action: "navigate", flow_action_payload: { screen, ...defined({ data }) } }),
  };
}

function areDistinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
