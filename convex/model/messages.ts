import { preview } from "#shared/text";
import type { Doc } from "../_generated/dataModel";

type Shown = Pick<Doc<"messages">, "type" | "text" | "caption" | "media">;

/** The line that stands for a message in a list or a quote: its text, else its caption or file name, else its type. */
export function messagePreview(message: Shown): string {
  const words = message.text ?? message.caption ?? message.media?.filename;
  return preview(words !== undefined && words !== "" ? words : `[${message.type}]`);
}
