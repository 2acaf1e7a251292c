import { defined } from "../defined";
import { cleanText, countCharacters } from "../text";
import { type Built, buildBody, type Envelope, isWebLink, tooLong, wrong } from "./outbound-body";
import type { TemplateComponent } from "./template-components";

export type { Built, Envelope, OutboundBody, Recipient } from "./outbound-body";
export type { TemplateComponent } from "./template-components";

/** Meta: "Text messages", body. */
export const TEXT_BODY_CHARACTERS_MAX = 4096;
/** Meta: "Image messages" and its siblings, caption. */
export const CAPTION_CHARACTERS_MAX = 1024;
/** Meta: "Template components", name. */
export const TEMPLATE_NAME_CHARACTERS_MAX = 512;
/** No limit is documented; longer names are cut by phones and by file systems. */
export const FILENAME_CHARACTERS_MAX = 240;

/** A text message. Links get a preview only on request, because fetching one tells the linked site of the chat. */
export function buildText(envelope: Envelope, text: string, options: { previewUrl?: boolean } = {}): Built {
  const body = cleanText(text);
  if (body.trim() === "") return wrong("text", "The text is empty.");
  if (countCharacters(body) > TEXT_BODY_CHARACTERS_MAX) return tooLong("text", TEXT_BODY_CHARACTERS_MAX);
  return buildBody(envelope, "text", { body, ...defined({ preview_url: options.previewUrl }) });
}

export type SendableMedia = "image" | "video" | "audio" | "document" | "sticker";

/** Where the file is: uploaded to Meta before, or at a public address from which Meta fetches it. */
export type MediaSource = { readonly id: string } | { readonly link: string };

/** A file with its caption (not for audio and stickers) and name (documents only). */
export function buildMedia(
  envelope: Envelope,
  type: SendableMedia,
  source: MediaSource,
  options: { caption?: string; filename?: string; voice?: boolean } = {},
): Built {
  const { voice } = options;
  const caption = options.caption === undefined ? undefined : cleanText(options.caption);
  const filename = options.filename === undefined ? undefined : cleanText(options.filename);
  if ("link" in source && !isWebLink(source.link))
    return wrong("link", "The link must be an http or https address.");
  if ("id" in source && source.id === "") return wrong("id", "The media id is empty.");
  if (caption !== undefined && (type === "audio" || type === "sticker")) {
    return wrong("caption", `A message of type ${type} carries no caption.`);
  }
  if (countCharacters(caption ?? "") > CAPTION_CHARACTERS_MAX)
    return tooLong("caption", CAPTION_CHARACTERS_MAX);
  if (filename !== undefined && type !== "document")
    return wrong("filename", "Only a document carries a file name.");
  if (countCharacters(filename ?? "") > FILENAME_CHARACTERS_MAX)
    return tooLong("filename", FILENAME_CHARACTERS_MAX);
  if (voice !== undefined && type !== "audio") return wrong("voice", "Only audio can be a voice message.");
  return buildBody(envelope, type, { ...source, ...defined({ caption, filename, voice }) });
}

/** A reaction to a message; null takes an earlier one back. A reaction quotes nothing. */
export function buildReaction(
  envelope: Omit<Envelope, "replyTo">,
  messageId: string,
  emoji: string | null,
): Built {
  if (messageId === "") return wrong("message_id", "The message to react to is missing.");
  if (emoji !== null && !isOneEmoji(emoji)) return wrong("emoji", "A reaction is exactly one emoji.");
  return buildBody(envelope, "reaction", { message_id: messageId, emoji: emoji ?? "" });
}

/** A template message. Whether name, language and parameters fit is known to the catalogue, not here. */
export function buildTemplate(
  envelope: Envelope,
  name: string,
  language: string,
  components: readonly TemplateComponent[] = [],
): Built {
  if (!/^[a-z0-9_]+$/.test(name) || name.length > TEMPLATE_NAME_CHARACTERS_MAX) {
    return wrong("name", "A template name has lower-case letters, digits and underscores only.");
  }
  if (!/^[a-z]{2,3}([_-][A-Za-z]{2,4})?$/.test(language))
    return wrong("language", "Such as en_US, de or pt_BR.");
  return buildBody(envelope, "template", {
    name,
    language: { code: language },
    ...(components.length > 0 && { components }),
  });
}

/** Marks a customer's message (and the earlier ones) as read; with `typing` the phone shows that somebody types. */
export function buildRead(messageId: string, options: { typing?: boolean } = {}): object {
  return {
    messaging_product: "whatsapp",
    status: "read",
    message_id: messageId,
    ...(options.typing === true && { typing_indicator: { type: "text" } }),
  };
}

/** One visible emoji: a single grapheme that contains a pictograph, a flag letter or a keycap. */
function isOneEmoji(text: string): boolean {
  const graphemes = [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)];
  return graphemes.length === 1 && /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20E3/u.test(text);
}
