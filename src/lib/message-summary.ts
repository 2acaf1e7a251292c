import type { Message } from "./backend";

const TYPE_NAMES: Readonly<Record<string, string>> = {
  image: "Photo",
  video: "Video",
  audio: "Audio",
  voice: "Voice message",
  document: "Document",
  sticker: "Sticker",
  location: "A location",
  contacts: "A contact card",
  order: "An order",
  interactive: "A choice",
  button: "A tap on a button",
  system: "A notice from WhatsApp",
};

/** A message in a few words, for quotes and for those who listen. */
export function messageSummary(message: Message): string {
  const { text, caption, media, interactive, location, contacts, type } = message;
  const name = media?.filename ?? interactive?.title ?? location?.name ?? contacts?.[0]?.name;
  return text ?? caption ?? name ?? typeName(type) ?? "Message";
}

/** What kind of message it is, for a person; undefined for kinds that nobody has named yet. */
export function typeName(type: string): string | undefined {
  return TYPE_NAMES[type];
}
