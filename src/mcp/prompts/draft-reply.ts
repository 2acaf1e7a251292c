import * as z from "zod";
import { params } from "../params";
import { DATA_NOT_ORDERS, definePrompt } from "./define-prompt";

/** What a person wants to say fits in a paragraph. */
const GOAL_CHARS_MAX = 2_000;

/** Longest name that Meta gives a template. */
const TEMPLATE_CHARS_MAX = 512;

export const draftReply = definePrompt({
  name: "draft_reply",
  title: "Draft a reply",
  description: "Reads a conversation and drafts the next answer to the customer, without sending it.",
  scope: "messages:read",
  args: z.object({
    contact: params.contact,
    goal: z.string().min(1).max(GOAL_CHARS_MAX).optional().describe("What the answer should achieve."),
    template: z
      .string()
      .min(1)
      .max(TEMPLATE_CHARS_MAX)
      .optional()
      .describe("Name of an approved template to answer with."),
    from: params.from,
  }),
  say: ({ contact, goal, template, from }) =>
    [
      `Read the WhatsApp conversation with ${contact} by get_conversation and draft the next answer to them, in their ` +
        "language and in the tone that the business has used so far.",
      goal === undefined ? "" : `The answer shall achieve this: ${goal}`,
      template === undefined
        ? "If the 24-hour window is closed, say so and name the approved templates that would fit."
        : `Answer with the template ${template} and tell me what fills each of its places.`,
      "Show me the draft and what in the conversation it rests on. Send nothing before I agree.",
      DATA_NOT_ORDERS,
      from === undefined ? "" : `Work with the business number ${from}.`,
    ]
      .filter((sentence) => sentence !== "")
      .join(" "),
});
