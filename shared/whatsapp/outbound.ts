import { defined } from "../defined";
import { cleanText, countCharacters } from "../text";

/** To whom: a phone number in E.164 with its plus (Meta reads one without as local), or a business-scoped user id. */
export type Recipient = { readonly phone: string } | { readonly userId: string };

/** What every builder takes beside the content. */
export interface Envelope {
  readonly to: Recipient;
  /** The message that is quoted. */
  readonly replyTo?: string;
  /** Comes back in every status of the message. */
  readonly callbackData?: string;
}

/** A body for `POST /{phone-number-id}/messages`. */
export interface OutboundBody {
  readonly messaging_product: "whatsapp";
  readonly recipient_type: "individual";
  readonly to?: string;
  readonly recipient?: string;
  readonly type: string;
  readonly context?: { readonly message_id: string };
  readonly biz_opaque_callback_data?: string;
  readonly [content: string]: unknown;
}

/** A body, or which field is wrong and why, in words for the person who wrote it. */
export type Built =
  | { readonly ok: true; readonly body: OutboundBody }
  | { readonly ok: false; readonly field: string; readonly problem: string };

/** Meta: "Text messages", body. */
export const TEXT_BODY_CHARACTERS_MAX = 4096;
/** Meta: "Image messages" and its siblings, caption. */
export const CAPTION_CHARACTERS_MAX = 1024;
/** Meta: description of `biz_opaque_callback_data`. */
export const CALLBACK_DATA_CHARACTERS_MAX = 512;
/** Meta: "Template components", name. */
export const TEMPLATE_NAME_CHARACTERS_MAX = 512;
/** No limit is documented; longer names are cut by phones and by file systems. */
export const FILENAME_CHARACTERS_MAX = 240;

const PHONE_FORM = /^\+[1-9]\d{6,14}$/;
const USER_ID_FORM = /^[A-Z]{2}(\.ENT)?\.[A-Za-z0-9]{1,128}$/;

/** A text message. Links get a preview only on request, because fetching one tells the linked site of the chat. */
export function buildText(envelope: Envelope, text: string, options: { previewUrl?: boolean } = {}): Built {
  const body = cleanText(text);
  if (body.trim() === "") return wrong("text", "The text is empty.");
  if (countCharacters(body) > TEXT_BODY_CHARACTERS_MAX) return tooLong("text", TEXT_BODY_CHARACTERS_MAX);
  return build(envelope, "text", { body, ...defined({ preview_url: options.previewUrl }) });
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
  return build(envelope, type, { ...source, ...defined({ caption, filename, voice }) });
}

/** A reaction to a message; null takes an earlier one back. A reaction quotes nothing. */
export function buildReaction(
  envelope: Omit<Envelope, "replyTo">,
  messageId: string,
  emoji: string | null,
): Built {
  if (messageId === "") return wrong("message_id", "The message to react to is missing.");
  if (emoji !== null && !isOneEmoji(emoji)) return wrong("emoji", "A reaction is exactly one emoji.");
  return build(envelope, "reaction", { message_id: messageId, emoji: emoji ?? "" });
}

/** One part of a template with its values, in Meta's own shape; the catalogue of templates says what is needed. */
export interface TemplateComponent {
  readonly type: "header" | "body" | "button";
  readonly sub_type?: string;
  readonly index?: string;
  readonly parameters: readonly Readonly<Record<string, unknown>>[];
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
  return build(envelope, "template", {
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

function build(envelope: Envelope, type: string, content: object): Built {
  const { to, replyTo, callbackData } = envelope;
  if ("phone" in to && !PHONE_FORM.test(to.phone))
    return wrong("to", "Give the number as + and digits only.");
  if ("userId" in to && !USER_ID_FORM.test(to.userId)) return wrong("to", "This is not a WhatsApp user id.");
  if (replyTo === "") return wrong("reply_to", "The message to reply to is missing.");
  if (callbackData !== undefined && countCharacters(callbackData) > CALLBACK_DATA_CHARACTERS_MAX) {
    return tooLong("callback_data", CALLBACK_DATA_CHARACTERS_MAX);
  }
  return {
    ok: true,
    body: {
      messaging_product: "whatsapp",
      recipient_type: "individual",
      ...("phone" in to ? { to: to.phone } : { recipient: to.userId }),
      type,
      [type]: content,
      ...(replyTo !== undefined && { context: { message_id: replyTo } }),
      ...defined({ biz_opaque_callback_data: callbackData }),
    },
  };
}

function wrong(field: string, problem: string): Built {
  return { ok: false, field, problem };
}

function tooLong(field: string, max: number): Built {
  return wrong(field, `At most ${max} characters are allowed.`);
}

function isWebLink(link: string): boolean {
  return URL.canParse(link) && /^https?:$/.test(new URL(link).protocol);
}

/** One visible emoji: a single grapheme that contains a pictograph, a flag letter or a keycap. */
function isOneEmoji(text: string): boolean {
  const graphemes = [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)];
  return graphemes.length === 1 && /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20E3/u.test(text);
}
