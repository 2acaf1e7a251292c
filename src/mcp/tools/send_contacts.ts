import * as z from "zod";
import { defined } from "#shared/defined";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { messageArgs, messageParams, SEND_ADVICE, SEND_HINTS, sendAnswer, sendBy } from "../sending";

/** Far more cards than a person opens; the backend checks the rest. */
const CARDS_MAX = 20;
const NAME_CHARS_MAX = 256;

const line = z.string().min(1).max(NAME_CHARS_MAX);

const address = z.strictObject({
  street: line.exactOptional(),
  city: line.exactOptional(),
  state: line.exactOptional(),
  zip: line.exactOptional(),
  country: line.exactOptional(),
  country_code: line.exactOptional().describe("Two letters."),
});

const card = z.strictObject({
  name: line.describe("Full name."),
  first_name: line.optional(),
  last_name: line.optional(),
  company: line.optional(),
  department: line.optional(),
  job_title: line.optional(),
  birthday: line.optional().describe("As 1990-12-31."),
  phones: z.array(line).optional(),
  emails: z.array(line).optional(),
  urls: z.array(line).optional(),
  addresses: z.array(address).optional(),
});

type Card = z.output<typeof card>;

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
    contacts: z.array(card).min(1).max(CARDS_MAX).describe("The cards."),
  }),
  answer: sendAnswer,
  run: async (context, args) => {
    const contacts = args.contacts.map(cardOf);
    const asked = { ...messageArgs(args), contacts };
    return await sendBy(context, args, (confirmed) =>
      mutateAs(context.caller.identity, api.mcp.sendContacts, { ...asked, ...confirmed }),
    );
  },
});

function cardOf({ name, first_name, last_name, company, department, job_title, ...more }: Card) {
  const { birthday, phones, emails, urls, addresses } = more;
  const org = defined({ company, department, title: job_title });
  return {
    // WhatsApp wants the full name and at least one of its parts.
    name: { formatted_name: name, first_name: first_name ?? name, ...defined({ last_name }) },
    ...defined({
      birthday,
      org: Object.keys(org).length === 0 ? undefined : org,
      phones: phones?.map((phone) => ({ phone })),
      emails: emails?.map((email) => ({ email })),
      urls: urls?.map((url) => ({ url })),
      addresses,
    }),
  };
}
