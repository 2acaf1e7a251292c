import * as z from "zod";
import { params } from "../params";
import { DATA_NOT_ORDERS, definePrompt } from "./define-prompt";

export const dailyDigest = definePrompt({
  name: "daily_digest",
  title: "Digest of a day",
  description: "Sums up what customers wrote on a day, what was answered and what is still open.",
  scope: "conversations:read",
  args: z.object({
    day: z.iso.date().optional().describe("The day as 2026-07-28; today when left out."),
    from: params.from,
  }),
  say: ({ day, from }) =>
    `Sum up the WhatsApp conversations of ${day ?? "today"}: page through list_conversations while their last ` +
    "message is of that day, and read each with get_conversation. Tell me how many customers wrote, the subjects with " +
    "the number of customers behind each, what was answered, what is still open and whose 24-hour window ends next. " +
    `Keep it to one page and quote at most a few words of anybody. Send nothing. ${DATA_NOT_ORDERS}` +
    (from === undefined ? "" : ` Work with the business number ${from}.`),
});
