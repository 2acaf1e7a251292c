import * as z from "zod";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { interactiveOf, interactiveParams } from "../interactive";
import { messageArgs, messageParams, SEND_ADVICE, SEND_HINTS, sendAnswer, sendBy } from "../sending";

export const sendInteractive = defineTool({
  name: "send_interactive",
  title: "Send buttons, a list or a form",
  description:
    "Sends a WhatsApp message that the customer answers by tapping, at once and for good; needs an open 24-hour window. " +
    "Give `body` and exactly one of `buttons`, `list`, `link`, `flow` and `ask_location`. A list takes no file above it, " +
    "ask_location nothing but `body`. What was tapped comes back as an inbound message with the id of the choice. " +
    SEND_ADVICE,
  scope: "send",
  annotations: SEND_HINTS,
  input: z.strictObject({ ...messageParams, ...interactiveParams }),
  answer: sendAnswer,
  run: async (context, args) => {
    const asked = { ...messageArgs(args), interactive: interactiveOf(args) };
    return await sendBy(context, args, (confirmed) =>
      mutateAs(context.caller.identity, api.mcp.sendInteractive, { ...asked, ...confirmed }),
    );
  },
});
