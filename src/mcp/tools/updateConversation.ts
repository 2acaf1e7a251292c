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
    "Archives a WhatsApp conversation or brings it back into the list, or stops agents from writing in it. Nothing is " +
    "sent and nothing is lost; a new message of the customer brings an archived one back by itself. Answers with the " +
    "conversation as it is now. To hand over with a reason use handoff_to_human.",
  scope: "write",
  core: true,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    from: params.from,
    contact: params.contact,
    archived: z.boolean().optional().describe("True archives it, false brings it back."),
    mode: z
      .enum(["human", "paused"])
      .optional()
      .describe("human: people answer; paused: nobody does. Only a person gives it back."),
  }),
  answer: conversationShape,
  run: async ({ caller }, { from, contact, archived, mode }) => {
    const asked = { contact, ...defined({ from, archived, mode }) };
    const conversation = await mutateAs(caller.identity, api.mcp.updateConversation, asked);
    return isRefusal(conversation) ? conversation : conversationOf(conversation, Date.now());
  },
});
