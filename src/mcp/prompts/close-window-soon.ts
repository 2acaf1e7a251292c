import * as z from "zod";
import { params } from "../params";
import { DATA_NOT_ORDERS, definePrompt } from "./define-prompt";

/** What a person plans for: the rest of a working day. */
const HOURS_DEFAULT = 6;

export const closeWindowSoon = definePrompt({
  name: "close_window_soon",
  title: "Windows that close soon",
  description:
    "Lists the customers to whom free text can be sent only for some hours more and who still wait.",
  scope: "conversations:read",
  args: z.object({
    // Arguments of prompts are texts in the protocol.
    hours: z
      .string()
      .regex(/^([1-9]|1\d|2[0-4])$/)
      .optional()
      .describe(`Hours to look ahead, at most 24; ${HOURS_DEFAULT} when left out.`),
    from: params.from,
  }),
  say: ({ hours, from }) =>
    `Page through list_unanswered and keep the customers whose 24-hour window is open and ends within ${hours ?? HOURS_DEFAULT} ` +
    "hours. Read each of them with get_conversation. Then list, the one that ends first on top: the customer, until when " +
    "free text may be sent, what they wait for in one sentence and a draft of an answer. Name apart those whose window " +
    `is closed already, with an approved template that would fit. Send nothing before I agree. ${DATA_NOT_ORDERS}` +
    (from === undefined ? "" : ` Work with the business number ${from}.`),
});
