import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { params } from "../params";

export const markAsRead = defineTool({
  name: "mark_as_read",
  title: "Mark as read",
  description:
    "Shows the customer on WhatsApp that their messages were read; with `typing` also, for some seconds, that an answer " +
    "is being written. Use it when you begin to work on an answer, not for merely looking.",
  scope: "write",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    from: params.from,
    contact: params.contact,
    typing: z.boolean().default(false).describe("Also show that an answer is being written."),
  }),
  answer: z.object({
    outcome: z.enum(["accepted", "pending"]),
    message_id: z.string().describe("The customer's newest message."),
  }),
  run: async ({ caller }, { from, contact, typing }) => {
    const asked = { contact, typing, ...defined({ from }) };
    const marked = await mutateAs(caller.identity, api.mcp.markAsRead, asked);
    return isRefusal(marked) ? marked : { outcome: marked.outcome, message_id: marked.messageId };
  },
});
