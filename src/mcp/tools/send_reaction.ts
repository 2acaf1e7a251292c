import * as z from "zod";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { params } from "../params";
import { sendAnswer, sendArgs, sendBy, sendParams } from "../sending";

/** A family emoji with skin tones has about 25 UTF-16 units. */
const EMOJI_CHARS_MAX = 64;

export const sendReaction = defineTool({
  name: "send_reaction",
  title: "Send reaction",
  description:
    "Reacts to a WhatsApp message with one emoji, which replaces an earlier reaction of the business; an empty emoji " +
    "takes it back. The customer sees it at once. `message_id` is a message id from get_conversation. Needs an open " +
    "24-hour window.",
  scope: "write",
  core: true,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  input: z.strictObject({
    ...sendParams,
    message_id: params.messageId("message to react to"),
    emoji: z.string().max(EMOJI_CHARS_MAX).describe("One emoji, or empty to take it back."),
  }),
  answer: sendAnswer,
  run: async (context, args) => {
    const { message_id: messageId, emoji } = args;
    const asked = { ...sendArgs(args), messageId, emoji };
    return await sendBy(context, args, (confirmed) =>
      mutateAs(context.caller.identity, api.mcp.sendReaction, { ...asked, ...confirmed }),
    );
  },
});
