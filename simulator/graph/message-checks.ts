import { countCharacters } from "#shared/text";
import { get, getText, type JsonObject } from "#shared/whatsapp/json";
import { liveMedia } from "../handset/media-store";
import type { Simulation } from "../simulation";
import { type GraphFailure, invalidParameter, missing } from "./graph-error";

/** Meta's name of a field inside an object: `interactive['body']['text']`. */
export const at = (path: string, key: string | number): string =>
  typeof key === "number" ? `${path}[${key}]` : `${path}['${key}']`;

/** The first of these texts that is absent or blank, as Meta's failure; null when all are there. */
export function required(
  object: JsonObject | undefined,
  path: string,
  keys: readonly string[],
): GraphFailure | null {
  const absent = keys.find((key) => (getText(object, key) ?? "").trim() === "");
  return absent === undefined ? null : missing(at(path, absent));
}

/** An optional text of at most so many characters. */
export function limited(
  object: JsonObject | undefined,
  path: string,
  key: string,
  charactersMax: number,
): GraphFailure | null {
  const value = get(object, key);
  if (value === undefined) return null;
  if (typeof value !== "string") return invalidParameter(`Param ${at(path, key)} must be a string.`);
  if (countCharacters(value) <= charactersMax) return null;
  return invalidParameter(`Param ${at(path, key)} must be at most ${charactersMax} characters long.`);
}

/** A text that must be there, of at most so many characters. */
export function requiredText(
  object: JsonObject | undefined,
  path: string,
  key: string,
  charactersMax: number,
): GraphFailure | null {
  return required(object, path, [key]) ?? limited(object, path, key, charactersMax);
}

/** A file of a message or of a header: by the id of an upload that still lives, or by a web address. */
export function fileProblem(
  simulation: Simulation,
  file: JsonObject | undefined,
  path: string,
): GraphFailure | null {
  if (file === undefined) return missing(path);
  const id = getText(file, "id");
  const link = getText(file, "link");
  if (id === undefined && link === undefined) return missing(`${at(path, "id")} or ${at(path, "link")}`);
  if (id !== undefined) {
    return liveMedia(simulation, id) === undefined
      ? invalidParameter(
          `Param ${at(path, "id")} is not a valid whatsapp business account media attachment ID`,
        )
      : null;
  }
  return isWebAddress(link ?? "") ? null : invalidParameter(`Param ${at(path, "link")} is not a valid URI.`);
}

export function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** The first failure of a list, item by item. */
export function firstProblem<T>(
  items: readonly T[],
  problemOf: (item: T, index: number) => GraphFailure | null,
): GraphFailure | null {
  for (const [index, item] of items.entries()) {
    const problem = problemOf(item, index);
    if (problem !== null) return problem;
  }
  return null;
}
