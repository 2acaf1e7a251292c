import type { MediaType } from "#shared/whatsapp/webhook-types";

const KIB = 1024;
const MIB = 1024 * KIB;

interface MediaKind {
  readonly bytesMax: number;
  readonly mimeTypes: readonly string[];
}

const AUDIO: MediaKind = {
  bytesMax: 16 * MIB,
  mimeTypes: ["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"],
};

/** Meta: "Supported media types". The largest size of each kind, and the types that belong to it. */
export const MEDIA_KINDS: Readonly<Record<MediaType, MediaKind>> = {
  audio: AUDIO,
  voice: AUDIO,
  image: { bytesMax: 5 * MIB, mimeTypes: ["image/jpeg", "image/png"] },
  video: { bytesMax: 16 * MIB, mimeTypes: ["video/mp4", "video/3gpp", "video/3gp"] },
  sticker: { bytesMax: 500 * KIB, mimeTypes: ["image/webp"] },
  document: {
    bytesMax: 100 * MIB,
    mimeTypes: [
      "text/plain",
      "application/pdf",
      "application/msword",
      "application/vnd.ms-excel",
      "application/vnd.ms-powerpoint",
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
      "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ],
  },
};

/** The kinds under which a file is uploaded; a voice message is an audio file there. */
const UPLOADED_KINDS = ["audio", "image", "video", "sticker", "document"] as const satisfies MediaType[];

/** The kind that a file of this type is, or undefined when Meta takes no such files. */
export function kindOfMimeType(mimeType: string): MediaType | undefined {
  const bare = mimeType.split(";")[0]?.trim() ?? "";
  return UPLOADED_KINDS.find((kind) => MEDIA_KINDS[kind].mimeTypes.includes(bare));
}
