import * as z from "zod";
import { defined } from "#shared/defined";
import { isRefusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { params } from "../params";
import { conversationOf, conversationShape } from "../shapes";

export const updateConversation = defineTool({
  name: "updateConversation",
  title: "Update conversation",
  description:
    "Archives a WhatsApp conversation or brings it back into the list. Nothing is sent and nothing is lost; a new " +
    "message of the customer brings it back by itself. Answers with the conversation as it is now.",
  scope: "write",
  core: true,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    contact: params.contact,
    archived: z.boolean().optional().describe("True archives it, false brings it back."),
  }),
  answer: conversationShape,
  run: async ({ caller }, { from, contact, archived }) => {
    const asked = { contact, ...defined({ from, archived }) };
    const conversation = await mutateAs(caller.identity, api.mcp.updateConversation, asked);
    return isRefusal(conversation) ? conversation : conversationOf(conversation, Date.now());
  },
});
