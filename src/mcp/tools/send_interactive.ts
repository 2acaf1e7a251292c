import * as z from "zod";
import { defined } from "#shared/defined";
import {
  BUTTON_TITLE_CHARACTERS_MAX,
  BUTTONS_MAX,
  CTA_TEXT_CHARACTERS_MAX,
  LIST_BODY_CHARACTERS_MAX,
  LIST_BUTTON_CHARACTERS_MAX,
  ROW_DESCRIPTION_CHARACTERS_MAX,
  ROW_TITLE_CHARACTERS_MAX,
  ROWS_MAX,
  SECTION_TITLE_CHARACTERS_MAX,
  SECTIONS_MAX,
} from "#shared/whatsapp/outbound-interactive";
import { api } from "../../../convex/_generated/api";
import { AppError } from "../../server/app-error";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { params } from "../params";
import { finishSend, messageArgs, messageParams, SEND_ADVICE, SEND_HINTS, sendAnswer } from "../sending";

/** Meta allows 256 for buttons and 200 for rows; an id of the shorter length fits both. */
const CHOICE_ID_CHARS_MAX = 200;

const choiceId = z.string().min(1).max(CHOICE_ID_CHARS_MAX);

const buttons = z
  .array(z.strictObject({ id: choiceId, title: z.string().min(1).max(BUTTON_TITLE_CHARACTERS_MAX) }))
  .min(1)
  .max(BUTTONS_MAX);

const list = z.strictObject({
  button: z.string().min(1).max(LIST_BUTTON_CHARACTERS_MAX).describe("What opens the list."),
  sections: z
    .array(
      z.strictObject({
        title: z.string().min(1).max(SECTION_TITLE_CHARACTERS_MAX).optional(),
        rows: z
          .array(
            z.strictObject({
              id: choiceId,
              title: z.string().min(1).max(ROW_TITLE_CHARACTERS_MAX),
              description: z.string().min(1).max(ROW_DESCRIPTION_CHARACTERS_MAX).optional(),
            }),
          )
          .min(1)
          .max(ROWS_MAX),
      }),
    )
    .min(1)
    .max(SECTIONS_MAX),
});

const link = z.strictObject({
  text: z.string().min(1).max(CTA_TEXT_CHARACTERS_MAX),
  url: z.string().min(1),
});

type Choices = {
  buttons?: z.output<typeof buttons> | undefined;
  list?: z.output<typeof list> | undefined;
  link?: z.output<typeof link> | undefined;
  ask_location?: true | undefined;
};

export const sendInteractive = defineTool({
  name: "send_interactive",
  title: "Send buttons or a list",
  description:
    "Sends a WhatsApp message that the customer answers by tapping, at once and for good; needs an open 24-hour window. " +
    "Give `body` and exactly one of `buttons`, `list`, `link` and `ask_location`. What was tapped comes back as an " +
    `inbound message with the id of the choice. ${SEND_ADVICE}`,
  scope: "send",
  annotations: SEND_HINTS,
  input: z.strictObject({
    ...messageParams,
    body: params.word("The text.", LIST_BODY_CHARACTERS_MAX),
    header: params.word("A line above it.").optional(),
    footer: params.word("A small line below it.").optional(),
    buttons: buttons.optional().describe("One to three reply buttons."),
    list: list.optional().describe("A list of at most ten rows."),
    link: link.optional().describe("One button that opens an address."),
    ask_location: z.literal(true).optional().describe("Ask for the customer's location."),
  }),
  answer: sendAnswer,
  run: async (context, args) => {
    const asked = { ...messageArgs(args), interactive: interactiveOf(args) };
    return await finishSend(context, await mutateAs(context.caller.identity, api.mcp.sendInteractive, asked));
  },
});

function interactiveOf(
  args: Choices & { body: string; header?: string | undefined; footer?: string | undefined },
) {
  const { body, footer, buttons, list, link, ask_location } = args;
  const given = [buttons, list, link, ask_location].filter((choice) => choice !== undefined);
  if (given.length !== 1) {
    throw AppError.of("invalid_request", {
      say: "Give exactly one of buttons, list, link and ask_location.",
    });
  }
  const header = args.header === undefined ? undefined : { type: "text" as const, text: args.header };
  const common = { body, ...defined({ header, footer }) };
  if (buttons !== undefined) return { type: "button" as const, ...common, buttons };
  if (list !== undefined) {
    const sections = list.sections.map(({ title, rows }) => ({
      ...defined({ title }),
      rows: rows.map(({ id, title: rowTitle, description }) => ({
        id,
        title: rowTitle,
        ...defined({ description }),
      })),
    }));
    return { type: "list" as const, ...common, button: list.button, sections };
  }
  if (link !== undefined) {
    return { type: "cta_url" as const, ...common, display_text: link.text, url: link.url };
  }
  return { type: "location_request_message" as const, body };
}
