import { preview } from "../text";
import type { MessageContent } from "./webhook-types";

/** One line that stands for a message in a list: its words, or what it is. Customer text stays text. */
export function contentPreview(content: MessageContent): string {
  switch (content.type) {
    case "text":
      return preview(content.text);
    case "image":
    case "video":
    case "audio":
    case "voice":
    case "sticker":
    case "document":
      return preview(content.caption ?? content.filename ?? MEDIA_NAMES[content.type]);
    case "reaction":
      return content.emoji === null ? "Took a reaction back" : preview(`Reacted ${content.emoji}`);
    case "location":
      return preview(content.name ?? content.address ?? "Location");
    case "contacts":
      return preview(content.contacts[0]?.name ?? "Contact");
    case "button":
      return preview(content.text ?? "Button");
    case "interactive":
      return preview(content.title ?? "Reply");
    case "order":
      return preview(content.text ?? "Order");
    case "system":
      return preview(content.body ?? "Notice from WhatsApp");
    case "edit":
      return contentPreview(content.content);
    case "revoke":
      return "Deleted a message";
    case "unsupported":
    case "other":
      return "Message of a kind that is not supported";
    default:
      return assertNever(content);
  }
}

const MEDIA_NAMES = {
  image: "Photo",
  video: "Video",
  audio: "Audio",
  voice: "Voice message",
  sticker: "Sticker",
  document: "Document",
} as const;

/** A new kind of content must be given a preview before this compiles. */
function assertNever(content: never): never {
  throw new TypeError(`No preview for ${JSON.stringify(content)}`);
}
