import * as z from "zod";
import { defined } from "#shared/defined";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { params } from "../params";
import { messageArgs, messageParams, SEND_ADVICE, SEND_HINTS, sendAnswer, sendBy } from "../sending";

export const sendText = defineTool({
  name: "send_text",
  title: "Send text",
  description:
    "Sends a WhatsApp text message to a customer, at once and for good. Free text needs an open 24-hour window (see " +
    "get_conversation); when it is closed, the refusal names templates for send_template. `reply_to` is a message " +
    `id from get_conversation. ${SEND_ADVICE}`,
  scope: "send",
  core: true,
  annotations: SEND_HINTS,
  input: z.strictObject({
    ...messageParams,
    text: params.text,
    preview_url: z.boolean().optional().describe("Show a preview of its first link."),
  }),
  answer: sendAnswer,
  run: async (context, args) => {
    const { text, preview_url: previewUrl } = args;
    const asked = { ...messageArgs(args), text, ...defined({ previewUrl }) };
    return await sendBy(context, args, (confirmed) =>
      mutateAs(context.caller.identity, api.mcp.sendText, { ...asked, ...confirmed }),
    );
  },
});
