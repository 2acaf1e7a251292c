import * as z from "zod";
import { defined } from "#shared/defined";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { finishSend, messageArgs, messageParams, SEND_ADVICE, SEND_HINTS, sendAnswer } from "../sending";

/** Far more cards than a person opens; the backend checks the rest. */
const CARDS_MAX = 20;
const NAME_CHARS_MAX = 256;

const line = z.string().min(1).max(NAME_CHARS_MAX);

export const sendContacts = defineTool({
  name: "send_contacts",
  title: "Send contact cards",
  description:
    "Sends contact cards (for example of a colleague or a shop) to a customer, at once and for good; needs an open " +
    `24-hour window. ${SEND_ADVICE}`,
  scope: "send",
  annotations: SEND_HINTS,
  input: z.strictObject({
    ...messageParams,
    contacts: z
      .array(
        z.strictObject({
          name: line.describe("Full name."),
          first_name: line.optional(),
          last_name: line.optional(),
          company: line.optional(),
          phones: z.array(line).optional(),
          emails: z.array(line).optional(),
          urls: z.array(line).optional(),
        }),
      )
      .min(1)
      .max(CARDS_MAX)
      .describe("The cards."),
  }),
  answer: sendAnswer,
  run: async (context, args) => {
    const contacts = args.contacts.map(({ name, first_name, last_name, company, phones, emails, urls }) => ({
      // WhatsApp wants the full name and at least one of its parts.
      name: { formatted_name: name, first_name: first_name ?? name, ...defined({ last_name }) },
      ...defined({
        org: company === undefined ? undefined : { company },
        phones: phones?.map((phone) => ({ phone })),
        emails: emails?.map((email) => ({ email })),
        urls: urls?.map((url) => ({ url })),
      }),
    }));
    const asked = { ...messageArgs(args), contacts };
    return await finishSend(context, await mutateAs(context.caller.identity, api.mcp.sendContacts, asked));
  },
});
