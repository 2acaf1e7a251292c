import type { Caller } from "../server/caller";
import { noteTexts } from "./shown";

/** Files that are text, whatever it is about; an agent reads them like a message. */
const TEXT_TYPES =
  /^(text\/|application\/(json|xml|xhtml\+xml|csv|x-ndjson|yaml|rtf|javascript)\b|.*\+(json|xml)\b)/i;

/** Texts are looked at in pieces of the length that is looked at of a message. */
const PIECE_CHARS = 8_000;

/** Whether an agent can read the file as text. */
export const isTextFile = (mime: string): boolean => TEXT_TYPES.test(mime);

/** Notes the text of a customer's file before it is handed over. Pictures, sounds and packed documents are not looked into. */
export async function noteTextFile(caller: Caller, messageId: string, bytes: Uint8Array): Promise<void> {
  const text = new TextDecoder().decode(bytes);
  const source = { message: messageId };
  const pieces = Array.from({ length: Math.ceil(text.length / PIECE_CHARS) }, (_, at) =>
    text.slice(at * PIECE_CHARS, (at + 1) * PIECE_CHARS),
  );
  await noteTexts(
    caller,
    pieces.map((piece) => ({ source, text: piece })),
  );
}
