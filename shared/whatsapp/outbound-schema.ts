import { z } from "zod";
import { cleanText, countCharacters } from "../text";
import { isWebLink, type Refused, wrong } from "./outbound-body";

/** Clean text with at least one visible character and at most `charactersMax` code points. */
export const shortText = (charactersMax: number) =>
  z
    .string()
    .transform(cleanText)
    .refine((text) => text.trim() !== "", "The text is empty.")
    .refine(
      (text) => countCharacters(text) <= charactersMax,
      `At most ${charactersMax} characters are allowed.`,
    );

export const webLink = z.string().refine(isWebLink, "The link must be an http or https address.");

const mediaId = z.string().min(1, "The media id is empty.").max(512, "This is not a media id.");

/** A file that was uploaded to Meta before, or a public address from which Meta fetches it. */
export const mediaSource = z.union([z.strictObject({ id: mediaId }), z.strictObject({ link: webLink })]);

/** The first thing that is wrong with an input, named by its path, such as `sections[0].rows[2].title`. */
export function refusedBy(error: z.ZodError): Refused {
  const issue = error.issues[0];
  const path = (issue?.path ?? []).reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`,
    "",
  );
  return wrong(path === "" ? "message" : path, issue?.message ?? "The input is not valid.");
}
