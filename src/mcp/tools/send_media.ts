import * as z from "zod";
import { defined } from "#shared/defined";
import { MEDIA_KINDS } from "#shared/whatsapp/media-kinds";
import { CAPTION_CHARACTERS_MAX } from "#shared/whatsapp/outbound";
import { api } from "../../../convex/_generated/api";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { fileOf, fileParams } from "../files";
import { params } from "../params";
import { messageArgs, messageParams, SEND_ADVICE, SEND_HINTS, sendAnswer, sendBy } from "../sending";

export const sendMedia = defineTool({
  name: "send_media",
  title: "Send media",
  description:
    "Sends an image, video, audio file, document or sticker on WhatsApp, at once and for good; needs an open 24-hour " +
    "window. Name the file by one of `url`, a public https address, `upload_id`, uploaded to Pons, and `media_id`, which " +
    `Meta gave it. The kind follows from the file unless \`type\` says it. ${SEND_ADVICE}`,
  scope: "send",
  core: true,
  annotations: SEND_HINTS,
  input: z.strictObject({
    ...messageParams,
    ...fileParams,
    type: z.enum(MEDIA_KINDS).optional().describe("How WhatsApp shows it."),
    caption: params
      .word("Text under the file; not for audio and stickers.", CAPTION_CHARACTERS_MAX)
      .optional(),
    voice: z.boolean().optional().describe("Show audio as a voice message."),
  }),
  answer: sendAnswer,
  run: async (context, args) => {
    const { type, caption, filename, voice } = args;
    const asked = {
      ...messageArgs(args),
      file: fileOf(args),
      ...defined({ media: type, caption, filename, voice }),
    };
    return await sendBy(context, args, (confirmed) =>
      mutateAs(context.caller.identity, api.mcp.sendMedia, { ...asked, ...confirmed }),
    );
  },
});
