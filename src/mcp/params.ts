import * as z from "zod";
import { CLIENT_REQUEST_ID_FORM } from "#shared/domain/limits";
import { countCharacters } from "#shared/text";

/** Longest text of WhatsApp Cloud API messages (messages reference, `text.body`). */
const TEXT_CHARS_MAX = 4096;

/** A page that an agent can take in at once; larger ones cost more tokens than they save calls. */
const PAGE_ROWS_MAX = 50;
const PAGE_ROWS_DEFAULT = 20;

/** Longer than any phone number, username or id that WhatsApp uses, with room for spaces and dashes. */
export const ID_CHARS_MAX = 256;

/** Our own cursors have about 150 characters. */
const CURSOR_CHARS_MAX = 512;

/** The arguments that several tools share, so that each is called and explained the same everywhere. */
export const params = {
  from: z
    .string()
    .min(1)
    .max(ID_CHARS_MAX)
    .optional()
    .describe("Business number, like +15550783881; needed if the key has several."),
  contact: z
    .string()
    .min(1)
    .max(ID_CHARS_MAX)
    .describe("The customer: phone number, @username or contact id."),
  messageId: (what: string) => z.string().min(1).max(ID_CHARS_MAX).describe(`Id or wamid of the ${what}.`),
  word: (what: string, charsMax = ID_CHARS_MAX) => z.string().min(1).max(charsMax).describe(what),
  limit: z.int().min(1).max(PAGE_ROWS_MAX).default(PAGE_ROWS_DEFAULT).describe("Rows to return."),
  cursor: (source: string) =>
    z.string().min(1).max(CURSOR_CHARS_MAX).optional().describe(`${source} of the page before.`),
  // JSON Schema counts characters as WhatsApp does, zod counts UTF-16 units: an emoji would be two.
  text: z
    .string()
    .min(1)
    .refine((text) => countCharacters(text) <= TEXT_CHARS_MAX, `Longer than ${TEXT_CHARS_MAX} characters`)
    .meta({ maxLength: TEXT_CHARS_MAX, description: "The message." }),
  replyTo: z.string().min(1).max(ID_CHARS_MAX).optional().describe("Id or wamid of the message to quote."),
  clientRequestId: z.string().regex(CLIENT_REQUEST_ID_FORM).optional().describe("Your own id for this send."),
  confirmToken: z.string().min(1).max(ID_CHARS_MAX).optional().describe("From the refusal, after their yes."),
  validateOnly: z.boolean().default(false).describe("Only check it."),
};
