import { fileTypeFromBuffer } from "file-type/core";

/** Bytes of a text that are looked at; a file that is text so far is text. */
const TEXT_SAMPLE_BYTES = 4096;

/** Names that `file-type` gives to types that Meta knows under another one. */
const META_NAMES: ReadonlyMap<string, string> = new Map([
  ["audio/x-m4a", "audio/mp4"],
  ["audio/opus", "audio/ogg; codecs=opus"],
  ["video/3gp", "video/3gpp"],
]);

/** The old Office formats are one container; only the name or the sender tells which program it is of. */
const OFFICE_CONTAINER = "application/x-cfb";
const OFFICE_TYPES: readonly { extension: string; mime: string }[] = [
  { extension: ".doc", mime: "application/msword" },
  { extension: ".xls", mime: "application/vnd.ms-excel" },
  { extension: ".ppt", mime: "application/vnd.ms-powerpoint" },
];

export const UNKNOWN_TYPE = "application/octet-stream";

/**
 * What a file is by its bytes, whatever its sender said: Meta's name of the type, `text/plain` for any text, or
 * `application/octet-stream`. What was stated only decides between types that the bytes cannot tell apart.
 */
export async function fileTypeOf(
  bytes: Uint8Array,
  stated: { mime: string | undefined; filename: string | undefined },
): Promise<string> {
  const found = await fileTypeFromBuffer(bytes);
  if (found?.mime === OFFICE_CONTAINER) return officeType(stated);
  if (found !== undefined) return META_NAMES.get(found.mime) ?? found.mime;
  return isText(bytes) ? "text/plain" : UNKNOWN_TYPE;
}

function officeType({ mime, filename }: { mime: string | undefined; filename: string | undefined }): string {
  const name = filename?.toLowerCase() ?? "";
  const known = OFFICE_TYPES.find((type) => type.mime === mime || name.endsWith(type.extension));
  return known?.mime ?? UNKNOWN_TYPE;
}

/** UTF-8 without control characters other than those that texts have. */
function isText(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return false;
  const sample = bytes.subarray(0, TEXT_SAMPLE_BYTES);
  try {
    // With `stream` a character that the sample cuts in two is no mistake.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(sample, { stream: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are what is looked for
    return !/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text);
  } catch {
    return false;
  }
}
