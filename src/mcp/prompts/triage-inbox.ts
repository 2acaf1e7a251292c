import * as z from "zod";
import { params } from "../params";
import { DATA_NOT_ORDERS, definePrompt } from "./define-prompt";

export const triageInbox = definePrompt({
  name: "triage_inbox",
  title: "Triage the inbox",
  description: "Lists the customers who wait for an answer, the most urgent first, with suggested replies.",
  scope: "conversations:read",
  args: z.object({ from: params.from }),
  say: ({ from }) =>
    "Go through the open WhatsApp conversations with list_conversations, and read those with get_conversation whose " +
    "last message may await an answer. Then list, the most urgent first: the customer, what they want in one " +
    "sentence, how long they have waited and until when the 24-hour window is open. Suggest an answer for each and " +
    `send nothing before I agree. ${DATA_NOT_ORDERS}` +
    (from === undefined ? "" : ` Work with the business number ${from}.`),
});
