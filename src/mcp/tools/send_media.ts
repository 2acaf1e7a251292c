import * as z from "zod";
import { defined } from "#shared/defined";
import { MEDIA_KINDS } from "#shared/whatsapp/media-kinds";
import { api } from "../../../convex/_generated/api";
import { AppError } from "../../server/app-error";
import { mutateAs } from "../../server/convex";
import { defineTool } from "../define-tool";
import { params } from "../params";
import { finishSend, messageArgs, messageParams, SEND_ADVICE, SEND_HINTS, sendAnswer } from "../sending";

/** Longer than any address that a server answers. */
const URL_CHARS_MAX = 2_048;

/** WhatsApp Cloud API messages reference: caption of a file. */
const CAPTION_CHARS_MAX = 1_024;

/** Longest file name that file systems take. */
const FILENAME_CHARS_MAX = 255;

export const sendMedia = defineTool({
  name: "send_media",
  title: "Send media",
  description:
    "Sends an image, video, audio file, document or sticker on WhatsApp, at once and for good; needs an open 24-hour " +
    "window. Give either `url`, a public https address, or `upload_id` of a file that was uploaded to Pons. The kind " +
    `follows from the file unless \`type\` says it. ${SEND_ADVICE}`,
  scope: "send",
  core: true,
  annotations: SEND_HINTS,
  input: z.strictObject({
    ...messageParams,
    url: params.word("Public https address of the file.", URL_CHARS_MAX).optional(),
    upload_id: params.word("Id of an uploaded file.").optional(),
    type: z.enum(MEDIA_KINDS).optional().describe("How WhatsApp shows it."),
    caption: params.word("Text under the file; not for audio and stickers.", CAPTION_CHARS_MAX).optional(),
    filename: params.word("Name of a document.", FILENAME_CHARS_MAX).optional(),
  }),
  answer: sendAnswer,
  run: async (context, args) => {
    const { type, caption, filename } = args;
    const asked = {
      ...messageArgs(args),
      file: fileOf(args),
      ...defined({ media: type, caption, filename }),
    };
    return await finishSend(context, await mutateAs(context.caller.identity, api.mcp.sendMedia, asked));
  },
});

function fileOf({ url, upload_id }: { url?: string | undefined; upload_id?: string | undefined }) {
  if (url !== undefined && upload_id === undefined) return { link: url };
  if (upload_id !== undefined && url === undefined) return { uploadId: upload_id };
  throw AppError.of("invalid_request", { say: "Give either `url` or `upload_id`." });
}
