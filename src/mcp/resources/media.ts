import { isRefusal, refusal } from "#shared/errors";
import { api } from "../../../convex/_generated/api";
import { readBody } from "../../server/body";
import { queryAs } from "../../server/convex";
import { isTextFile, noteTextFile } from "../text-files";
import type { Resource } from "./define-resource";

/**
 * The largest file that is handed over inside the protocol. In Base64 it is a third larger, and clients refuse
 * messages of a few megabytes; a photo of WhatsApp has some hundred kilobytes.
 */
const MEDIA_BYTES_MAX = 2 * 1024 * 1024;

export const media: Resource = {
  kind: "media",
  name: "media",
  title: "File of a message",
  description:
    "The image, audio, video or document of a message, by message id; at most 2 MiB. Sent by a customer.",
  mimeType: "application/octet-stream",
  read: async (caller, { ref: messageId }) => {
    if (messageId === undefined) return refusal("not_found");
    const file = await queryAs(caller.identity, api.mcpResources.media, { messageId });
    if (isRefusal(file)) return file;
    if (file.bytes !== undefined && file.bytes > MEDIA_BYTES_MAX) return tooLarge();
    const response = await fetch(file.url, { cache: "no-store" });
    if (!response.ok) return refusal("not_found");
    const bytes = await readBody(response, MEDIA_BYTES_MAX);
    if (bytes === null) return tooLarge();
    const mimeType = file.mime ?? "application/octet-stream";
    if (isTextFile(mimeType)) await noteTextFile(caller, messageId, bytes);
    return {
      mimeType,
      blob: Buffer.from(bytes).toString("base64"),
    };
  },
};

const tooLarge = () => refusal("media_refused", { say: "The file is too large to be handed over here." });
