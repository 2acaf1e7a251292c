import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { params } from "../params";

const REASON_CHARS_MAX = 200;
const SUMMARY_CHARS_MAX = 4_000;

export const handoffToHuman = defineTool({
  name: "handoff_to_human",
  title: "Hand off to a human",
  description:
    "Gives a conversation to the people of the business, with a reason and a summary for whoever takes it. From then on " +
    "your sends to this customer are refused with human_in_control until a person hands it back. Use it when the " +
    "customer asks for a person or when you cannot help.",
  scope: "write",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    contact: params.contact,
    reason: params.word("Why, in one line.", REASON_CHARS_MAX),
    summary: params.word("What a person must know before they answer.", SUMMARY_CHARS_MAX).optional(),
  }),
  answer: z.object({
    mode: z.enum(["agent", "human", "paused"]),
    changed: z.boolean().describe("False when people were in charge already."),
  }),
  run: async ({ caller }, { from, contact, reason, summary }) => {
    const asked = { contact, reason, ...defined({ from, summary }) };
    const handed = await mutateAs(caller.identity, api.mcp.handoffToHuman, asked);
    return isRefusal(handed) ? handed : { mode: handed.mode, changed: handed.changed };
  },
});
