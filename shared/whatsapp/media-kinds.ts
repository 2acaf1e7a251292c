const KIB = 1024;
const MIB = 1024 * KIB;

/** The kinds of files that a business sends; a message of a kind carries one file of its types. */
export const MEDIA_KINDS = ["image", "video", "audio", "document", "sticker"] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

interface KindRule {
  readonly bytesMax: number;
  readonly types: readonly string[];
}

/** What Meta takes of each kind (Meta: "Supported media types"). */
export const MEDIA_RULES: Readonly<Record<MediaKind, KindRule>> = {
  image: { bytesMax: 5 * MIB, types: ["image/jpeg", "image/png"] },
  video: { bytesMax: 16 * MIB, types: ["video/mp4", "video/3gpp"] },
  // Ogg only with the Opus codec; plain Ogg is refused.
  audio: {
    bytesMax: 16 * MIB,
    types: ["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg; codecs=opus"],
  },
  document: {
    bytesMax: 100 * MIB,
    types: [
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
  // The animated form; a still one may have 100 KB.
  sticker: { bytesMax: 500 * KIB, types: ["image/webp"] },
};

/** Largest file of any kind. */
export const MEDIA_BYTES_MAX = MEDIA_RULES.document.bytesMax;

/** Why a file of this type (by its bytes) and size cannot be sent as this kind, as a code; null when it can. */
export function mediaProblem(
  kind: MediaKind,
  mime: string,
  bytes: number,
): "empty" | "too_large" | "wrong_type" | null {
  const { bytesMax, types } = MEDIA_RULES[kind];
  if (bytes === 0) return "empty";
  if (bytes > bytesMax) return "too_large";
  return types.includes(mime) ? null : "wrong_type";
}

/** Endings of file names by the kind as which WhatsApp shows such a file; everything else is a document. */
const ENDINGS: Readonly<Record<MediaKind, readonly string[]>> = {
  image: ["jpg", "jpeg", "png"],
  video: ["mp4", "3gp", "3gpp"],
  audio: ["aac", "amr", "mp3", "m4a", "ogg", "opus"],
  document: ["pdf", "txt", "doc", "docx", "xls", "xlsx", "ppt", "pptx"],
  sticker: ["webp"],
};

/** The kind that the ending of a file's name tells, or null. */
export function kindOfName(name: string): MediaKind | null {
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? "";
  return MEDIA_KINDS.find((kind) => ENDINGS[kind].includes(ending)) ?? null;
}
