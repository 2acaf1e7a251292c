import type { Message } from "./backend";

const TYPE_NAMES: Readonly<Record<string, string>> = {
  image: "Photo",
  video: "Video",
  audio: "Audio",
  voice: "Voice message",
  document: "Document",
  sticker: "Sticker",
  location: "Location",
  contacts: "Contact card",
  order: "Order",
  system: "Notice from WhatsApp",
};

/** A message in a few words, for quotes and for those who listen. */
export function messageSummary(message: Message): string {
  return message.text ?? message.caption ?? message.media?.filename ?? typeName(message.type);
}

/** What kind of message it is, for a person. */
export function typeName(type: string): string {
  return TYPE_NAMES[type] ?? "Message";
}
