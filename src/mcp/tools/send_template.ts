import * as z from "zod";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { params } from "../params";
import { messageArgs, messageParams, SEND_ADVICE, SEND_HINTS, sendAnswer, sendBy } from "../sending";
import { readTemplateParams, templateParams } from "../template-params";

/** Longest name that Meta gives a template. */
const NAME_CHARS_MAX = 512;

export const sendTemplate = defineTool({
  name: "send_template",
  title: "Send template",
  description:
    "Sends an approved WhatsApp template: the only message that may go to a closed 24-hour window or to somebody who " +
    "never wrote. Take name, language and params_schema from list_templates. Marketing templates are refused for " +
    `customers who opted out. ${SEND_ADVICE}`,
  scope: "send",
  core: true,
  annotations: SEND_HINTS,
  input: z.strictObject({
    ...messageParams,
    name: params.word("Name of the template.", NAME_CHARS_MAX),
    language: params.word("Its language, e.g. en_US."),
    params: templateParams,
  }),
  answer: sendAnswer,
  run: async (context, args) => {
    const { name, language } = args;
    const asked = { ...messageArgs(args), name, language, params: readTemplateParams(args.params) };
    return await sendBy(context, args, (confirmed) =>
      mutateAs(context.caller.identity, api.mcp.sendTemplate, { ...asked, ...confirmed }),
    );
  },
});
